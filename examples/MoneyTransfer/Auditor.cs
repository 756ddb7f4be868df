namespace MoneyTransfer;

/// <summary>
/// Reads the ledger and believes nothing: every balance must follow from the one before, every half of a transfer must be there once, and what is in accounts
/// and in flight must be, after each entry, what was deposited.
/// </summary>
public sealed class Auditor
{
    private const int MaxFaults = 20;
    private readonly Dictionary<string, long> _balances = [];
    private readonly Dictionary<int, (Entry? Outcome, Entry? Receipt)> _transfers = [];
    private readonly HashSet<int> _deposits = [];
    private readonly List<string> _faults = [];

    /// <summary>What is wrong; at most 20 lines.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public int DepositCount => _deposits.Count;

    public long DepositedCents { get; private set; }

    /// <summary>The sum of all balances.</summary>
    public long InAccountsCents { get; private set; }

    /// <summary>What was paid and not yet received. Below zero when a receipt is read, in its partition, before the payment is in another one.</summary>
    public long InFlightCents { get; private set; }

    public int PaidCount { get; private set; }

    public int DeclinedCount { get; private set; }

    /// <summary>Transfers that are over: declined, or paid and received.</summary>
    public int SettledCount { get; private set; }

    public void Read(string account, Entry entry)
    {
        var before = _balances.GetValueOrDefault(account);
        var expected = entry.Kind switch
        {
            EntryKind.Paid => before - entry.Cents,
            EntryKind.Declined => before,
            _ => before + entry.Cents,
        };
        Demand(entry.BalanceCents == expected, $"{account} has {entry.BalanceCents} after {entry.Kind} {entry.Number} over {entry.Cents}, but had {before}");
        Demand(entry.BalanceCents >= 0, $"{account} has {entry.BalanceCents}, which is less than nothing");
        _balances[account] = entry.BalanceCents;
        InAccountsCents += entry.BalanceCents - before;

        if (entry.Kind == EntryKind.Deposited)
        {
            Demand(_deposits.Add(entry.Number), $"deposit {entry.Number} was made twice");
            DepositedCents += entry.Cents;
        }
        else
        {
            Settle(entry);
        }

        Demand(InAccountsCents + InFlightCents == DepositedCents, $"there are {InAccountsCents} in accounts and {InFlightCents} in flight after {entry.Kind} {entry.Number}, but {DepositedCents} were deposited");
    }

    private void Settle(Entry entry)
    {
        var (outcome, receipt) = _transfers.GetValueOrDefault(entry.Number);
        if (entry.Kind == EntryKind.Received)
        {
            Demand(receipt is null, $"transfer {entry.Number} was received twice");
            if (receipt is null) InFlightCents -= entry.Cents;
            receipt = entry;
        }
        else
        {
            Demand(outcome is null, $"transfer {entry.Number} was {outcome?.Kind} and then {entry.Kind}");
            if (outcome is null && entry.Kind == EntryKind.Paid) InFlightCents += entry.Cents;
            if (entry.Kind == EntryKind.Paid) PaidCount++;
            else DeclinedCount++;
            outcome = entry;
        }

        Demand(outcome?.Kind != EntryKind.Declined || receipt is null, $"transfer {entry.Number} was declined, and received");
        Demand(outcome is null || receipt is null || outcome.Cents == receipt.Cents, $"of transfer {entry.Number} over {outcome?.Cents}, {receipt?.Cents} were received");
        _transfers[entry.Number] = (outcome, receipt);
        if (outcome is { Kind: EntryKind.Declined } || (outcome is not null && receipt is not null)) SettledCount++;
    }

    private void Demand(bool isTrue, string fault)
    {
        if (!isTrue && _faults.Count < MaxFaults) _faults.Add(fault);
    }
}
