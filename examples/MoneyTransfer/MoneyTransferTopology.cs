using Streams.Core;
using Streams.Dsl;

namespace MoneyTransfer;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class MoneyTransferTopology
{
    /// <summary>Deposits, and transfers by the account that pays.</summary>
    public const string Transfers = "transfers";

    /// <summary>The second halves of transfers, by the account that receives: written and read by the application.</summary>
    public const string Credits = "credits";

    public const string Ledger = "ledger";

    public static ISerde<Instruction> InstructionSerde { get; } = Serdes.Json<Instruction>();

    public static ISerde<Entry> EntrySerde { get; } = Serdes.Json<Entry>();

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Serdes = new SerdeRegistry().Add(InstructionSerde).Add(EntrySerde).Add(Serdes.Json<Account>()),
        });

        // Without a cache, so that each change of an account comes out, not only the last one before a commit.
        var entries = builder.Stream<string, Instruction>([Transfers, Credits])
            .GroupByKey()
            .Aggregate(() => Account.Empty, (_, instruction, account) => account.Apply(instruction), Materialized.As("accounts").WithCachingDisabled())
            .ToStream()
            .MapValues(account => account.Last!);

        entries.To(Ledger);
        entries.Filter(entry => entry.Kind == EntryKind.Paid)
            .Map((payer, entry) => KeyValuePair.Create(entry.Other, new Instruction(InstructionKind.Receive, entry.Number, payer, entry.Cents)))
            .To(Credits);
        return builder.Build();
    }
}
