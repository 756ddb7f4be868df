namespace Streams.Core;

/// <summary>
/// How often a store is read and written and how long that takes, in nanoseconds. Exists at level Debug only: elsewhere a store tests a field for <c>null</c> per
/// operation. Written by whoever holds the task's gate, read by any thread.
/// </summary>
/// <remarks>
/// A fast store would spend a fifth of its time on reading the clock, so of many operations in a turn one in sixteen is timed (<see cref="SampledSensor"/>); how many there were is
/// exact. Measured below the serdes, where all kinds of stores are the same, so an operation's time is without them; Kafka's is with them. A put that pushes others out of the record
/// cache contains what they cause downstream, as there. Source: Kafka's <c>StateStoreMetrics</c>.
/// </remarks>
internal sealed class StoreMetrics(string storeName, TimeProvider time)
{
    public KeyValuePair<string, object?>[] Tags { get; private set; } = [];

    public SampledSensor Get { get; } = new(time);

    public SampledSensor Put { get; } = new(time);

    public SampledSensor Delete { get; } = new(time);

    public Sensor Flush { get; } = new();

    public string StoreName { get; } = storeName;

    /// <summary>The store's task has these tags from now on: it may go from thread to thread.</summary>
    public void BelongTo(KeyValuePair<string, object?>[] taskTags) => Tags = [.. taskTags, new("store", StoreName)];

    public long Mark() => time.GetTimestamp();

    public void Flushed(long mark) => Flush.Record(time.GetElapsedTime(mark).TotalNanoseconds);

    public void Roll(long nowMs)
    {
        Get.Roll(nowMs);
        Put.Roll(nowMs);
        Delete.Roll(nowMs);
        Flush.Roll(nowMs);
    }
}

/// <summary>A store's context that says where the store counts.</summary>
internal interface IMeasuredStoreContext
{
    /// <summary>Where the store counts; <c>null</c> when it does not.</summary>
    StoreMetrics? StoreMetrics { get; }
}
