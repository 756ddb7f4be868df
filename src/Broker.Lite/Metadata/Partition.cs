using System.Runtime.InteropServices;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Metadata;

/// <summary>
/// One partition as request handlers see it: its log, and the fetches parked on it. All members may be called from any thread; the log lets
/// writers take turns and readers in at any time.
/// </summary>
internal sealed class Partition(IPartitionLog log)
{
    /// <summary>The one leader epoch there ever is: one broker, which never loses the lead.</summary>
    public const int LeaderEpoch = 0;

    private readonly Lock _waitersGate = new();
    private readonly List<FetchWaiter> _waiters = [];
    private int _waiterCount;
    private volatile bool _isGone;

    public string Topic => log.Topic;

    public int Index => log.Partition;

    public long LogStartOffset => log.LogStartOffset;

    public long LogEndOffset => log.LogEndOffset;

    public long HighWatermark => log.HighWatermark;

    public long LastStableOffset => log.LastStableOffset;

    /// <summary>Whether batches are brought into zstd, whatever codec producers choose.</summary>
    public bool StoresZstd => log.Config.Compression == CompressionType.Zstd;

    /// <summary>Bytes in the log.</summary>
    public long SizeBytes => log.SizeBytes;

    /// <summary>How many fetches are parked here.</summary>
    public int WaiterCount => Volatile.Read(ref _waiterCount);

    /// <summary>What a client hears whose idea of the leader epoch is this: nothing if it has none (-1) or the right one.</summary>
    public static ErrorCode CheckLeaderEpoch(int clientEpoch) => clientEpoch > LeaderEpoch ? ErrorCode.UnknownLeaderEpoch : ErrorCode.None;

    /// <summary>
    /// Appends a producer's batch, or the broker's own. The memory is changed (base offset, leader epoch) and belongs to the log until
    /// this returns.
    /// </summary>
    public AppendResult Append(ReadOnlyMemory<byte> batches, AppendOrigin origin = AppendOrigin.Client)
    {
        if (_isGone)
            return new AppendResult(ErrorCode.UnknownTopicOrPartition, -1, -1, -1, -1, false);
        var result = log.Append(MemoryMarshal.AsMemory(batches), origin);
        if (result.WrittenBytes > 0)
            Report(result.WrittenBytes);
        return result;
    }

    /// <summary>Appends the marker that ends a transaction, which fetches may wait for however little they would get.</summary>
    public AppendResult AppendMarker(byte[] marker)
    {
        if (_isGone)
            return new AppendResult(ErrorCode.UnknownTopicOrPartition, -1, -1, -1, -1, false);
        var result = log.Append(marker, AppendOrigin.Coordinator);
        // The marker is small, but it lets read-committed clients see all that the transaction wrote.
        if (result.Error == ErrorCode.None)
            Report(int.MaxValue);
        return result;
    }

    /// <summary>Lets a producer write here in a transaction, until its marker.</summary>
    public void AdmitTransaction(long producerId, short producerEpoch) => log.AdmitTransaction(producerId, producerEpoch);

    /// <summary>The producers whose state the log remembers.</summary>
    public IReadOnlyList<ProducerDescription> DescribeProducers() => _isGone ? [] : log.DescribeProducers();

    /// <summary>Reads whole batches; the caller disposes the slice when they were sent.</summary>
    public LogSlice Read(long offset, int maxBytes, bool minOneBatch, ReadIsolation isolation, bool maySendFile = false) =>
        _isGone
            ? LogSlice.Failed(ErrorCode.UnknownTopicOrPartition, -1, -1, -1)
            : log.Read(offset, maxBytes, minOneBatch, isolation, maySendFile);

    /// <summary>The first record whose timestamp is not before the given one (Unix milliseconds).</summary>
    public OffsetLookup FindByTimestamp(long timestamp, ReadIsolation isolation) => log.FindOffsetForTimestamp(timestamp, isolation);

    /// <summary>The first record with the largest timestamp.</summary>
    public OffsetLookup FindLargestTimestamp() => log.FindMaxTimestamp();

    /// <summary>Moves the start of the log forward.</summary>
    public ErrorCode DeleteRecords(long beforeOffset) => log.DeleteRecords(beforeOffset);

    public void Configure(LogConfig config) => log.UpdateConfig(config);

    /// <summary>
    /// Wakes the fetch when enough is appended. To be called before the fetch looks at the log, so that nothing falls between.
    /// </summary>
    public void AddWaiter(FetchWaiter waiter)
    {
        lock (_waitersGate)
        {
            _waiters.Add(waiter);
            Volatile.Write(ref _waiterCount, _waiters.Count);
        }

        if (_isGone)
            waiter.Report(int.MaxValue);
    }

    public void RemoveWaiter(FetchWaiter waiter)
    {
        lock (_waitersGate)
        {
            _waiters.Remove(waiter);
            Volatile.Write(ref _waiterCount, _waiters.Count);
        }
    }

    /// <summary>The topic is deleted: whoever still holds this partition learns that it is unknown, parked fetches at once.</summary>
    public void MarkGone()
    {
        _isGone = true;
        Report(int.MaxValue);
    }

    public override string ToString() => $"{Topic}-{Index}";

    private void Report(int bytes)
    {
        // A fetch that registers after this look reads after the append and sees it; Interlocked keeps the two in that order.
        Interlocked.MemoryBarrier();
        if (WaiterCount == 0)
            return;
        lock (_waitersGate)
        {
            foreach (var waiter in _waiters)
                waiter.Report(bytes);
        }
    }
}
