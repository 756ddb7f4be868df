using System.Globalization;
using MoneyTransfer;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const string Usage = """
    Transfers money between accounts, exactly once.

      MoneyTransfer [options]

      --data FOLDER     keep topics and state here and go on from there next time, also after kill -9
                        (default: a temporary folder that is deleted at the end)
      --transfers N     default 20000
      --seed N          default 1
      --at-least-once   to see what exactly-once is for: kill -9 it in the middle, and start it again
    """;

string? data = null;
var (transferCount, seed, guarantee) = (20_000, 1, ProcessingGuarantee.ExactlyOnce);
for (var index = 0; index < args.Length; index++)
{
    var value = args.ElementAtOrDefault(index + 1);
    if (args[index] == "--at-least-once") guarantee = ProcessingGuarantee.AtLeastOnce;
    else if (args[index] == "--data" && value is not null) (data, index) = (value, index + 1);
    else if (args[index] == "--transfers" && int.TryParse(value, out transferCount) && transferCount is > 0 and < 100_000_000) index++;
    else if (args[index] == "--seed" && int.TryParse(value, out seed)) index++;
    else
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }
}

var folder = data ?? Directory.CreateTempSubdirectory("money-transfer-").FullName;
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    return await RunAsync(stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped; run it again with the same --data to go on");
    return 130;
}
finally
{
    if (data is null) Directory.Delete(folder, recursive: true);
}

async Task<int> RunAsync(CancellationToken cancellationToken)
{
    // The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
    await using var cluster = EmbeddedCluster.At(Path.Combine(folder, "broker"));
    using (var admin = cluster.CreateAdmin("money-transfer"))
    {
        var topics = (string[])[MoneyTransferTopology.Transfers, MoneyTransferTopology.Credits, MoneyTransferTopology.Ledger];
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, 4, -1, new Dictionary<string, string>()))], cancellationToken);
    }

    await using var app = new KafkaStreams(MoneyTransferTopology.Build(), new StreamsConfig
    {
        ApplicationId = "money-transfer",
        Cluster = cluster,
        StateDirectory = Path.Combine(folder, "state"),
        ProcessingGuarantee = guarantee,
        NumStreamThreads = 2,
        CommitInterval = TimeSpan.FromMilliseconds(100),
    });
    await app.StartAsync(cancellationToken);
    var writing = Task.Run(() => new Teller(cluster, seed, transferCount).WriteAsync(cancellationToken), cancellationToken);

    using var ledger = new CommittedReader<Entry>(cluster, MoneyTransferTopology.Ledger, MoneyTransferTopology.EntrySerde);
    var auditor = new Auditor();
    var reported = 0;
    while (auditor.SettledCount < transferCount)
    {
        if (app.Failure is not null) throw app.Failure;
        if (writing.IsFaulted) await writing;
        await Task.Delay(20, cancellationToken);
        await ledger.ReadToEndAsync(auditor.Read, cancellationToken);
        if (auditor.SettledCount - reported < transferCount / 10) continue;
        reported = auditor.SettledCount;
        Console.WriteLine($"  {reported,10:N0} settled   {auditor.InAccountsCents / 100m,12:N2} in accounts + {auditor.InFlightCents / 100m,10:N2} in flight = {(auditor.InAccountsCents + auditor.InFlightCents) / 100m,12:N2}");
    }

    // What is written up to the very end counts too.
    await writing;
    if (!await app.CloseAsync(TimeSpan.FromSeconds(30))) Console.Error.WriteLine("MoneyTransfer: the application did not close within 30 seconds");
    await ledger.ReadToEndAsync(auditor.Read, cancellationToken);

    Console.WriteLine($"transfers  {auditor.SettledCount:N0}: {auditor.PaidCount:N0} paid, {auditor.DeclinedCount:N0} declined");
    Console.WriteLine($"accounts   {auditor.InAccountsCents / 100m:N2} in {auditor.DepositCount} accounts, {auditor.InFlightCents / 100m:N2} in flight");
    if (auditor.Faults.Count == 0 && auditor.SettledCount == transferCount && auditor is { InFlightCents: 0, InAccountsCents: Teller.AccountCount * Teller.DepositCents })
    {
        Console.WriteLine("check      every transfer was applied exactly once, and after every entry of the ledger the money was all there");
        return 0;
    }

    Console.WriteLine($"check      FAILED\n           {string.Join("\n           ", auditor.Faults)}");
    return 1;
}
