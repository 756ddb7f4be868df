using Streams.Core;

namespace Streams.Tests.Shared;

/// <summary>Counts what an application restores.</summary>
internal sealed class RestoreCount : StateRestoreListener
{
    private long _records;
    private int _ended;

    public long Records => Volatile.Read(ref _records);

    public int Ended => Volatile.Read(ref _ended);

    public override void OnBatchRestored(in RestoreProgress progress, long batchRecords) => Interlocked.Add(ref _records, batchRecords);

    public override void OnRestoreEnd(in RestoreProgress progress) => Interlocked.Increment(ref _ended);
}
