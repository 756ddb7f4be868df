namespace Broker.Lite.Coordination;

/// <summary>
/// Where a transactional id stands. The names are the ones ListTransactions and DescribeTransactions report, the numbers those of
/// <c>__transaction_state</c>.
/// </summary>
internal enum TransactionState : sbyte
{
    /// <summary>The producer has its epoch and no transaction yet.</summary>
    Empty = 0,

    /// <summary>There are partitions or offsets in the transaction.</summary>
    Ongoing = 1,

    /// <summary>It is decided that the transaction is committed; not all markers are written.</summary>
    PrepareCommit = 2,

    /// <summary>It is decided that the transaction is aborted; not all markers are written.</summary>
    PrepareAbort = 3,

    /// <summary>Committed, and all markers are written.</summary>
    CompleteCommit = 4,

    /// <summary>Aborted, and all markers are written.</summary>
    CompleteAbort = 5,

    /// <summary>Being forgotten. Kafka writes it; here an id is forgotten at once.</summary>
    Dead = 6,

    /// <summary>The epoch is being raised. Kafka has it in memory only; here nothing can be seen in between.</summary>
    PrepareEpochFence = 7,
}
