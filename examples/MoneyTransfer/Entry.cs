using System.Text.Json.Serialization;

namespace MoneyTransfer;

[JsonConverter(typeof(JsonStringEnumConverter<EntryKind>))]
public enum EntryKind
{
    Deposited,
    Paid,

    /// <summary>The balance was too small; nothing was moved.</summary>
    Declined,
    Received,
}

/// <summary>What was done to an account: a line of the ledger. The record's key is the account.</summary>
/// <param name="Kind">What.</param>
/// <param name="Number">Number of the deposit or transfer.</param>
/// <param name="Other">The other account; empty for a deposit.</param>
/// <param name="Cents">How much.</param>
/// <param name="BalanceCents">The account's balance after it.</param>
public sealed record Entry(EntryKind Kind, int Number, string Other, long Cents, long BalanceCents);
