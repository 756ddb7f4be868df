namespace Streams.Core;

/// <summary>How far a store has been restored.</summary>
/// <param name="Task">The task.</param>
/// <param name="StoreName">The store.</param>
/// <param name="Changelog">What it is restored from.</param>
/// <param name="StartOffset">Offset at which restoring began.</param>
/// <param name="EndOffset">Offset at which it ends.</param>
/// <param name="Position">Offset of the next record.</param>
/// <param name="Records">Records taken so far. Fewer than offsets: compaction and transactions leave gaps.</param>
/// <param name="Elapsed">Time since it began.</param>
public readonly record struct RestoreProgress(TaskId Task, string StoreName, TopicPartition Changelog, long StartOffset, long EndOffset, long Position, long Records, TimeSpan Elapsed)
{
    /// <summary>Offsets per second, on average.</summary>
    public double Rate => Elapsed > TimeSpan.Zero ? (Position - StartOffset) / Elapsed.TotalSeconds : 0;

    /// <summary>Time left at this rate; <c>null</c> while nothing can be said.</summary>
    public TimeSpan? TimeLeft => Position >= EndOffset ? TimeSpan.Zero : Rate <= 0 ? null : TimeSpan.FromSeconds(Math.Min((EndOffset - Position) / Rate, int.MaxValue));
}

/// <summary>
/// Is told how restoring of active tasks goes. Derive and override what is of interest. Called on the restoring thread: be short, and throw nothing, which ends the
/// stream thread as an error of a task does. Source: Kafka's <c>StateRestoreListener</c>.
/// </summary>
public abstract class StateRestoreListener
{
    /// <summary>A store begins to be restored.</summary>
    public virtual void OnRestoreStart(in RestoreProgress progress)
    {
    }

    /// <summary>A batch was taken.</summary>
    /// <param name="progress">How far it is.</param>
    /// <param name="batchRecords">Records of the batch.</param>
    public virtual void OnBatchRestored(in RestoreProgress progress, long batchRecords)
    {
    }

    /// <summary>A store is restored.</summary>
    public virtual void OnRestoreEnd(in RestoreProgress progress)
    {
    }

    /// <summary>The task was taken away before its store was restored. Source: KIP-869.</summary>
    public virtual void OnRestoreSuspended(in RestoreProgress progress)
    {
    }
}

/// <summary>Why a standby stops following its changelog.</summary>
public enum StandbySuspendReason
{
    /// <summary>The task is another instance's now, or nobody's here.</summary>
    Migrated,

    /// <summary>The standby becomes the active task here, or goes on on another thread.</summary>
    Promoted,
}

/// <summary>How far a standby's store is.</summary>
/// <param name="Task">The task.</param>
/// <param name="StoreName">The store.</param>
/// <param name="Changelog">What it follows.</param>
/// <param name="StartOffset">Offset at which it began.</param>
/// <param name="Position">Offset of the next record.</param>
/// <param name="EndOffset">End of the changelog as last heard; where nothing was heard, the position.</param>
/// <param name="Records">Records taken so far.</param>
public readonly record struct StandbyProgress(TaskId Task, string StoreName, TopicPartition Changelog, long StartOffset, long Position, long EndOffset, long Records)
{
    /// <summary>Records that the standby is behind.</summary>
    public long Lag => Math.Max(0, EndOffset - Position);
}

/// <summary>Is told how standbys go. Derive and override what is of interest; the rules of <see cref="StateRestoreListener"/> apply. Source: KIP-988.</summary>
public abstract class StandbyUpdateListener
{
    /// <summary>A standby begins to follow.</summary>
    public virtual void OnUpdateStart(in StandbyProgress progress)
    {
    }

    /// <summary>A batch was taken.</summary>
    /// <param name="progress">How far it is.</param>
    /// <param name="batchRecords">Records of the batch.</param>
    public virtual void OnBatchLoaded(in StandbyProgress progress, long batchRecords)
    {
    }

    /// <summary>The standby stops following.</summary>
    public virtual void OnUpdateSuspended(in StandbyProgress progress, StandbySuspendReason reason)
    {
    }
}
