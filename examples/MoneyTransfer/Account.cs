namespace MoneyTransfer;

/// <summary>An account: its balance, and what was done to it last.</summary>
public sealed record Account(long BalanceCents, Entry? Last)
{
    public static Account Empty { get; } = new(0, null);

    public Account Apply(Instruction instruction) => instruction.Kind switch
    {
        InstructionKind.Deposit => After(EntryKind.Deposited, instruction, BalanceCents + instruction.Cents),
        InstructionKind.Receive => After(EntryKind.Received, instruction, BalanceCents + instruction.Cents),
        InstructionKind.Pay when BalanceCents < instruction.Cents => After(EntryKind.Declined, instruction, BalanceCents),
        InstructionKind.Pay => After(EntryKind.Paid, instruction, BalanceCents - instruction.Cents),
        _ => throw new ArgumentOutOfRangeException(nameof(instruction), instruction.Kind, "There is no such instruction."),
    };

    private static Account After(EntryKind kind, Instruction instruction, long balance) =>
        new(balance, new Entry(kind, instruction.Number, instruction.Other, instruction.Cents, balance));
}
