using System.Globalization;
using System.Text.RegularExpressions;
using MoneyTransfer;
using Streams.Embedded;

namespace Examples;

public sealed partial class MoneyTransferTests
{
    private const int Transfers = 20_000;

    [Fact]
    public void Money_leaves_one_account_and_reaches_the_other()
    {
        using var driver = new TopologyTestDriver(MoneyTransferTopology.Build());
        var transfers = driver.CreateInputTopic(MoneyTransferTopology.Transfers, Serdes.String, MoneyTransferTopology.InstructionSerde);
        transfers.PipeInput("ann", new Instruction(InstructionKind.Deposit, 0, "", 500));
        transfers.PipeInput("ann", new Instruction(InstructionKind.Pay, 1, "bob", 300));
        transfers.PipeInput("ann", new Instruction(InstructionKind.Pay, 2, "bob", 300));
        transfers.PipeInput("bob", new Instruction(InstructionKind.Pay, 3, "ann", 100));

        var ledger = driver.CreateOutputTopic(MoneyTransferTopology.Ledger, Serdes.String, MoneyTransferTopology.EntrySerde).ReadKeyValuesToList();
        Assert.Equal(
            [
                new("ann", new Entry(EntryKind.Deposited, 0, "", 500, 500)),
                new("ann", new Entry(EntryKind.Paid, 1, "bob", 300, 200)),
                new("bob", new Entry(EntryKind.Received, 1, "ann", 300, 300)),
                new("ann", new Entry(EntryKind.Declined, 2, "bob", 300, 200)),
                new("bob", new Entry(EntryKind.Paid, 3, "ann", 100, 200)),
                new("ann", new Entry(EntryKind.Received, 3, "bob", 100, 300)),
            ],
            ledger);
    }

    [Fact]
    public void Auditor_finds_nothing_wrong_in_a_right_ledger_whichever_half_it_reads_first()
    {
        var auditor = Audit(
            ("ann", new Entry(EntryKind.Deposited, 0, "", 500, 500)),
            ("bob", new Entry(EntryKind.Received, 1, "ann", 300, 300)),
            ("ann", new Entry(EntryKind.Paid, 1, "bob", 300, 200)),
            ("ann", new Entry(EntryKind.Declined, 2, "bob", 300, 200)));
        Assert.Empty(auditor.Faults);
        Assert.Equal((2, 500L, 0L), (auditor.SettledCount, auditor.InAccountsCents, auditor.InFlightCents));
    }

    /// <summary>What the end-to-end test relies on: an entry that is there twice, or missing, does not go unnoticed.</summary>
    [Fact]
    public void Auditor_finds_what_was_done_twice_and_what_was_not_done()
    {
        var deposit = ("ann", new Entry(EntryKind.Deposited, 0, "", 500, 500));
        var paid = ("ann", new Entry(EntryKind.Paid, 1, "bob", 300, 200));
        Assert.NotEmpty(Audit(deposit, ("ann", new Entry(EntryKind.Deposited, 0, "", 500, 1000))).Faults);
        Assert.NotEmpty(Audit(deposit, paid, ("ann", new Entry(EntryKind.Paid, 1, "bob", 100, 100))).Faults);
        Assert.NotEmpty(Audit(deposit, paid, ("bob", new Entry(EntryKind.Received, 1, "ann", 300, 300)), ("bob", new Entry(EntryKind.Received, 1, "ann", 300, 600))).Faults);
        Assert.NotEmpty(Audit(deposit, paid, ("bob", new Entry(EntryKind.Received, 1, "ann", 200, 200))).Faults);
        Assert.NotEmpty(Audit(deposit, ("ann", new Entry(EntryKind.Declined, 1, "bob", 900, 500)), ("bob", new Entry(EntryKind.Received, 1, "ann", 900, 900))).Faults);
        Assert.NotEmpty(Audit(deposit, ("ann", new Entry(EntryKind.Paid, 2, "bob", 100, 100))).Faults);
        Assert.NotEmpty(Audit(deposit, ("ann", new Entry(EntryKind.Paid, 1, "bob", 600, -100))).Faults);
        Assert.Equal((0, 300L), (Audit(deposit, paid).SettledCount, Audit(deposit, paid).InFlightCents));
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("MoneyTransfer", await ExampleProcess.RunAsync("MoneyTransfer"));

    [Fact]
    public async Task Program_that_is_killed_again_and_again_applies_every_transfer_once()
    {
        using var folder = new TestFolder();
        string[] arguments = ["--data", folder["data"], "--transfers", Transfers.ToString(CultureInfo.InvariantCulture)];

        // In the middle; while it starts again, which is when it reports what it finds; and further on, unless it was faster than the kill.
        var killedInTheMiddle = 0;
        foreach (var settled in (int[])[1, 1, Transfers / 2])
        {
            using var killed = ExampleProcess.Start("MoneyTransfer", arguments);
            await killed.WaitForLineAsync(line => Settled(line) >= settled, $"{settled} transfers settled");
            await killed.KillAsync();
            if (!killed.Everything.Contains("check", StringComparison.Ordinal)) killedInTheMiddle++;
        }

        Assert.True(killedInTheMiddle > 0, "it was through before any of the kills");
        var printed = await ExampleProcess.RunAsync("MoneyTransfer", arguments);
        Assert.Contains("every transfer was applied exactly once", printed, StringComparison.Ordinal);

        // The program's own word is not enough: the ledger that it has left is read here too.
        await using var cluster = EmbeddedCluster.At(Path.Combine(folder["data"], "broker"));
        var (balances, halves) = Read(cluster);
        Assert.Equal(100 * 100_000L, balances.Values.Sum());
        Assert.Equal(Transfers, halves.Count);
        Assert.All(halves.Values, transfer => Assert.True(transfer is "D" or "PR" or "RP", transfer));
    }

    private static Auditor Audit(params (string Account, Entry Entry)[] entries)
    {
        var auditor = new Auditor();
        foreach (var (account, entry) in entries) auditor.Read(account, entry);
        return auditor;
    }

    // The last balance of each account, and what was done of each transfer: Declined, or Paid and Received.
    private static (Dictionary<string, long> Balances, Dictionary<int, string> Halves) Read(EmbeddedCluster cluster)
    {
        var balances = new Dictionary<string, long>();
        var halves = new Dictionary<int, string>();
        var ends = Enumerable.Range(0, 4).Select(partition => new TopicPartition(MoneyTransferTopology.Ledger, partition)).ToHashSet();
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test", ReadCommitted = true });
        consumer.Assign([.. ends.Select(partition => new TopicPartitionOffset(partition, 0))]);
        while (ends.Count > 0)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(60));
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++)
            {
                var (account, entry) = (Serdes.String.Deserialize(batch.Key(index)), MoneyTransferTopology.EntrySerde.Deserialize(batch.Value(index)));
                balances[account] = entry.BalanceCents;
                if (entry.Kind != EntryKind.Deposited) halves[entry.Number] = halves.GetValueOrDefault(entry.Number) + entry.Kind.ToString()[0];
            }

            if (batch.NextOffset >= consumer.CachedEndOffset(batch.Partition)) ends.Remove(batch.Partition);
        }

        return (balances, halves);
    }

    private static int Settled(string line) => SettledLine().Match(line) is { Success: true } match ? int.Parse(match.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("^ *([0-9,]+) settled")]
    private static partial Regex SettledLine();
}
