using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Follows transactions while compaction goes through a log: whose records were aborted and so do not count, and which markers are no longer
/// needed because nothing is left of their transaction.
/// </summary>
/// <remarks>Source: Kafka's <c>CleanedTransactionMetadata</c>. All transactions in the range have ended.</remarks>
internal sealed class CleanedTransactions
{
    private readonly Queue<AbortedTransaction> _aborted;
    private readonly Dictionary<long, Aborted> _ongoingAborted = [];
    private readonly HashSet<long> _ongoingCommitted = [];

    /// <summary>Starts with the aborted transactions that overlap the range, by first offset.</summary>
    public CleanedTransactions(IEnumerable<AbortedTransaction> aborted) => _aborted = new Queue<AbortedTransaction>(aborted);

    /// <summary>Takes note of a data batch; true when its records belong to an aborted transaction.</summary>
    public bool IsAborted(RecordBatchHeader header)
    {
        StartUpTo(header.LastOffset);
        if (!header.IsTransactional)
            return false;
        if (_ongoingAborted.TryGetValue(header.ProducerId, out Aborted? transaction))
        {
            transaction.HasBatches = true;
            return true;
        }

        _ongoingCommitted.Add(header.ProducerId);
        return false;
    }

    /// <summary>
    /// Takes note of a marker; true when nothing is left of its transaction, so that it is no longer needed. <paramref name="stillIndexed"/> is an
    /// aborted transaction that readers still have to be told of.
    /// </summary>
    public bool IsNeedless(RecordBatchHeader header, ControlRecordType type, out AbortedTransaction? stillIndexed)
    {
        StartUpTo(header.LastOffset);
        stillIndexed = null;
        if (type != ControlRecordType.Abort)
            return !_ongoingCommitted.Remove(header.ProducerId);
        if (!_ongoingAborted.Remove(header.ProducerId, out Aborted? transaction) || !transaction.HasBatches)
            return true;
        stillIndexed = transaction.Transaction;
        return false;
    }

    private void StartUpTo(long offset)
    {
        while (_aborted.TryPeek(out AbortedTransaction next) && next.FirstOffset <= offset)
        {
            _aborted.Dequeue();
            _ongoingAborted[next.ProducerId] = new Aborted(next);
        }
    }

    private sealed class Aborted(AbortedTransaction transaction)
    {
        public AbortedTransaction Transaction { get; } = transaction;

        public bool HasBatches { get; set; }
    }
}
