using System.Text.Json.Serialization;

namespace MoneyTransfer;

[JsonConverter(typeof(JsonStringEnumConverter<InstructionKind>))]
public enum InstructionKind
{
    /// <summary>Money from outside, to begin with.</summary>
    Deposit,

    /// <summary>Take money from the account, for the other one.</summary>
    Pay,

    /// <summary>Add money that the other account has paid.</summary>
    Receive,
}

/// <summary>What is to be done to an account; the record's key is the account.</summary>
/// <param name="Kind">What.</param>
/// <param name="Number">Number of the deposit or transfer; a transfer's two halves have the same.</param>
/// <param name="Other">The other account; empty for a deposit.</param>
/// <param name="Cents">How much.</param>
public sealed record Instruction(InstructionKind Kind, int Number, string Other, long Cents);
