using Streams.Core;

namespace Streams.Tests.Shared;

/// <summary>Counts what the standbys of an application read, and keeps why the last one ended.</summary>
internal sealed class StandbyCount : StandbyUpdateListener
{
    private long _records;

    public long Records => Volatile.Read(ref _records);

    public StandbySuspendReason? LastReason { get; private set; }

    public override void OnBatchLoaded(in StandbyProgress progress, long batchRecords) => Interlocked.Add(ref _records, batchRecords);

    public override void OnUpdateSuspended(in StandbyProgress progress, StandbySuspendReason reason) => LastReason = reason;
}
