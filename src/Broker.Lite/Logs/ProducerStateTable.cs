using System.Diagnostics;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// The producers of a partition: which sequence number each may send next, and which transactions are open. Changed only after a batch
/// is in the log, and made anew from a snapshot and the batches after it. Not thread-safe: the log's writer owns it.
/// </summary>
/// <remarks>Source: KIP-98, KIP-360; Kafka's <c>ProducerStateManager</c> and <c>ProducerAppendInfo</c>.</remarks>
internal sealed class ProducerStateTable
{
    private readonly Dictionary<long, ProducerEntry> _entries = [];
    private readonly SortedSet<long> _openTransactions = [];
    private readonly Dictionary<long, short> _admitted = [];

    /// <summary>The producers remembered.</summary>
    public IReadOnlyCollection<ProducerEntry> Entries => _entries.Values;

    /// <summary>First offset of the oldest open transaction, or null.</summary>
    public long? FirstOpenOffset => _openTransactions.Count == 0 ? null : _openTransactions.Min;

    /// <summary>Whether a producer is known, and in this epoch.</summary>
    public bool HasEpoch(long producerId, short epoch) => _entries.TryGetValue(producerId, out ProducerEntry? entry) && entry.Epoch == epoch;

    /// <summary>Whether a data batch of an idempotent producer may be appended now, or was before.</summary>
    public ProducerVerdict Check(RecordBatchHeader header)
    {
        if (!_entries.TryGetValue(header.ProducerId, out ProducerEntry? entry))
        {
            // Its state expired, or its records were deleted: KIP-360 lets it go on from where it says it is.
            return ProducerVerdict.Accepted;
        }

        if (header.ProducerEpoch < entry.Epoch)
        {
            return ProducerVerdict.Refused(
                ErrorCode.InvalidProducerEpoch,
                $"Producer {header.ProducerId} has epoch {entry.Epoch}; the batch has {header.ProducerEpoch}.");
        }

        int first = header.BaseSequence;
        if (first < 0)
            return ProducerVerdict.Accepted; // a coordinator's batch in its client's transaction
        if (header.ProducerEpoch > entry.Epoch)
        {
            // The coordinator ends a transaction before it gives out the next epoch: this one was made up, and would hide the open one.
            if (entry.TransactionFirstOffset >= 0)
            {
                return ProducerVerdict.Refused(
                    ErrorCode.InvalidTxnState,
                    $"Producer {header.ProducerId} has an open transaction in epoch {entry.Epoch}; the batch has epoch {header.ProducerEpoch}.");
            }

            return first == 0
                ? ProducerVerdict.Accepted
                : ProducerVerdict.Refused(
                    ErrorCode.OutOfOrderSequenceNumber,
                    $"Producer {header.ProducerId} starts epoch {header.ProducerEpoch} with sequence number {first} instead of 0.");
        }

        if (entry.TryFind(first, header.LastSequence, out ProducerEntry.Batch duplicate))
            return ProducerVerdict.Duplicate(duplicate);
        if (entry.TransactionFirstOffset >= 0 && !header.IsTransactional)
        {
            return ProducerVerdict.Refused(
                ErrorCode.InvalidTxnState,
                $"Producer {header.ProducerId} has an open transaction and sent a batch outside of it.");
        }

        int expected = entry.Count == 0 ? 0 : RecordBatchHeader.IncrementSequence(entry.LastSequence, 1);
        return first == expected ? ProducerVerdict.Accepted : RefuseSequence(header, entry, expected);
    }

    /// <summary>Lets a producer write in a transaction until the marker that ends it.</summary>
    public void Admit(long producerId, short epoch) => _admitted[producerId] = epoch;

    /// <summary>Whether the producer of a transactional batch was let in, in this epoch.</summary>
    public ProducerVerdict CheckAdmission(RecordBatchHeader header) =>
        _admitted.TryGetValue(header.ProducerId, out short epoch) && epoch == header.ProducerEpoch
            ? ProducerVerdict.Accepted
            : ProducerVerdict.Refused(
                ErrorCode.InvalidTxnState,
                $"The partition is in no transaction of producer {header.ProducerId}, epoch {header.ProducerEpoch}.");

    /// <summary>Whether a transaction marker may be appended now.</summary>
    public ProducerVerdict CheckMarker(long producerId, short producerEpoch, int coordinatorEpoch)
    {
        if (!_entries.TryGetValue(producerId, out ProducerEntry? entry))
            return ProducerVerdict.Accepted;
        if (producerEpoch < entry.Epoch)
        {
            return ProducerVerdict.Refused(
                ErrorCode.InvalidProducerEpoch,
                $"Producer {producerId} has epoch {entry.Epoch}; the marker has {producerEpoch}.");
        }

        return coordinatorEpoch < entry.CoordinatorEpoch
            ? ProducerVerdict.Refused(
                ErrorCode.TransactionCoordinatorFenced,
                $"A coordinator of epoch {entry.CoordinatorEpoch} ended a transaction of producer {producerId}; the marker's has {coordinatorEpoch}.")
            : ProducerVerdict.Accepted;
    }

    /// <summary>
    /// Takes a data batch that is in the log at <paramref name="baseOffset"/> into account. What counts for forgetting the producer is when the
    /// broker saw it, <paramref name="nowTimestamp"/> (Unix milliseconds): the records' own time may be long ago.
    /// </summary>
    public void Add(RecordBatchHeader header, long baseOffset, long nowTimestamp)
    {
        Debug.Assert(header.HasProducer && !header.IsControl, "only batches of producers have a state");
        ProducerEntry entry = GetOrAdd(header.ProducerId, header.ProducerEpoch);
        entry.SetEpoch(header.ProducerEpoch);
        entry.LastTimestamp = nowTimestamp;
        if (header.BaseSequence >= 0)
        {
            long lastOffset = baseOffset + header.LastOffsetDelta;
            entry.Add(new ProducerEntry.Batch(header.BaseSequence, header.LastSequence, baseOffset, lastOffset));
        }

        if (header.IsTransactional && entry.TransactionFirstOffset < 0)
        {
            entry.TransactionFirstOffset = baseOffset;
            _openTransactions.Add(baseOffset);
        }
    }

    /// <summary>
    /// Takes a marker that is in the log at <paramref name="offset"/> into account. Gives the transaction that it ended, if it aborted one that
    /// had records here.
    /// </summary>
    public AbortedTransaction? AddMarker(
        ControlRecordType type,
        long producerId,
        short producerEpoch,
        int coordinatorEpoch,
        long timestamp,
        long offset)
    {
        ProducerEntry entry = GetOrAdd(producerId, producerEpoch);
        entry.SetEpoch(producerEpoch);
        entry.CoordinatorEpoch = coordinatorEpoch;
        entry.LastTimestamp = timestamp;
        _admitted.Remove(producerId);
        long first = entry.TransactionFirstOffset;
        if (first < 0)
            return null;
        entry.TransactionFirstOffset = -1;
        _openTransactions.Remove(first);
        return type == ControlRecordType.Abort
            ? new AbortedTransaction(producerId, first, offset, FirstOpenOffset ?? offset + 1)
            : null;
    }

    /// <summary>Takes an entry out of a snapshot.</summary>
    public void Restore(ProducerEntry entry)
    {
        _entries[entry.ProducerId] = entry;
        if (entry.TransactionFirstOffset >= 0)
            _openTransactions.Add(entry.TransactionFirstOffset);
    }

    /// <summary>Forgets producers without an open transaction whose last batch is older than <paramref name="beforeTimestamp"/> (Unix milliseconds).</summary>
    public void Expire(long beforeTimestamp)
    {
        foreach (ProducerEntry entry in _entries.Values)
        {
            // Removing while enumerating is allowed for a dictionary.
            if (entry.TransactionFirstOffset < 0 && entry.LastTimestamp < beforeTimestamp)
                _entries.Remove(entry.ProducerId);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _entries.Clear();
        _openTransactions.Clear();
    }

    private static ProducerVerdict RefuseSequence(RecordBatchHeader header, ProducerEntry entry, int expected)
    {
        // Sequence numbers are a ring: what lies in the half behind the expected number was sent before.
        int behind = (int)(((long)expected - header.BaseSequence) & int.MaxValue);
        bool isOld = entry.Count > 0 && behind > 0 && behind <= int.MaxValue / 2;
        return isOld
            ? ProducerVerdict.Refused(
                ErrorCode.DuplicateSequenceNumber,
                $"Producer {header.ProducerId} repeats sequence number {header.BaseSequence}, too old to say where it went; {expected} is next.")
            : ProducerVerdict.Refused(
                ErrorCode.OutOfOrderSequenceNumber,
                $"Producer {header.ProducerId} sent sequence number {header.BaseSequence}; {expected} is next.");
    }

    private ProducerEntry GetOrAdd(long producerId, short epoch)
    {
        if (!_entries.TryGetValue(producerId, out ProducerEntry? entry))
        {
            entry = new ProducerEntry(producerId, epoch);
            _entries.Add(producerId, entry);
        }

        return entry;
    }
}
