#pragma warning disable CA1822, CS8618, IDE0060
using Broker.Lite.Requests;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Metadata;

/// <summary>One partition. TEMPORARY in-memory log.</summary>
internal sealed class Partition(string topic, int index) 
{
    public const int LeaderEpoch = 0;
    private readonly Lock _gate = new();
    private readonly List<byte[]> _batches = [];
    private readonly List<FetchWaiter> _waiters = [];

    public string Topic { get; } = topic;
    public int Index { get; } = index;
    public long HighWatermark { get; private set; }
    public long LastStableOffset => HighWatermark;
    public long LogEndOffset => HighWatermark;
    public long LogStartOffset { get; private set; }

    public static ErrorCode CheckLeaderEpoch(int epoch) => epoch > LeaderEpoch ? ErrorCode.UnknownLeaderEpoch : ErrorCode.None;

    public AppendOutcome Append(ReadOnlyMemory<byte> batches)
    {
        if (RecordBatchView.TryRead(batches.Span, out var b) != RecordBatchStatus.Valid || !b.IsCrcValid) return AppendOutcome.Failed(ErrorCode.CorruptMessage);
        lock (_gate)
        {
            var a = batches.ToArray();
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(a, HighWatermark);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(a.AsSpan(12), 0);
            _batches.Add(a);
            var o = HighWatermark;
            HighWatermark += b.Header.LastOffsetDelta + 1;
            foreach (var w in _waiters) w.Report(a.Length);
            return new AppendOutcome(ErrorCode.None, null, o, -1, []);
        }
    }

    public ReadOutcome Read(long offset, int maxBytes, bool atLeastOne, bool committed, RequestContext? context)
    {
        lock (_gate)
        {
            if (offset < LogStartOffset || offset > HighWatermark) return new ReadOutcome(ErrorCode.OffsetOutOfRange, HighWatermark, HighWatermark, LogStartOffset, default, []);
            var ms = new MemoryStream();
            foreach (var b in _batches)
            {
                RecordBatchView.TryRead(b, out var v);
                if (v.Header.LastOffset < offset) continue;
                if (ms.Length + b.Length > maxBytes && !(ms.Length == 0 && atLeastOne)) break;
                ms.Write(b);
            }
            return new ReadOutcome(ErrorCode.None, HighWatermark, HighWatermark, LogStartOffset, ms.ToArray(), []);
        }
    }
    public sealed record Owned(ReadOnlyMemory<byte> Records) : IDisposable { public void Dispose() { } }
    public Owned ReadOwned(long offset, int max) => new(Read(offset, max, true, false, null).Records);
    public ErrorCode DeleteRecords(long offset) { LogStartOffset = Math.Max(offset, LogStartOffset); return ErrorCode.None; }
    public (ErrorCode, long, long) FindByTimestamp(long t) => (ErrorCode.None, -1, -1);
    public (ErrorCode, long, long) FindLargestTimestamp() => (ErrorCode.None, -1, -1);
    public void AddWaiter(FetchWaiter w) { lock (_gate) _waiters.Add(w); }
    public void RemoveWaiter(FetchWaiter w) { lock (_gate) _waiters.Remove(w); }
    public void Configure(Func<string, string> value) { }
    public void Close() { lock (_gate) foreach (var w in _waiters) w.Report(int.MaxValue); }
    public override string ToString() => $"{Topic}-{Index}";
}
internal sealed class PartitionStore : IDisposable
{
    public static PartitionStore Open(string? directory, TimeProvider time, Microsoft.Extensions.Logging.ILoggerFactory loggers) { if (directory is not null) Directory.CreateDirectory(directory); return new(); }
    public Partition Open(string topic, Guid id, int index, Func<string, string> value) => new(topic, index);
    public void Delete(string topic, Guid id, int n) { }
    public void Dispose() { }
}
