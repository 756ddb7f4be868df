using System.Text;
using Streams.Core;

namespace Streams.Tests.Shared;

/// <summary>Reads the committed records of a topic from its beginning, as they come. One user at a time.</summary>
internal sealed class TopicFollower : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);

    private readonly ICluster _cluster;
    private readonly IRecordConsumer _consumer;
    private readonly Func<Exception?> _failure;
    private readonly Dictionary<TopicPartition, long> _next = [];
    private readonly List<SeenRecord> _records = [];

    /// <summary>Follows a topic that exists.</summary>
    /// <param name="cluster">Where.</param>
    /// <param name="topic">What.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="failure">Asked while nothing comes: why nothing will.</param>
    public TopicFollower(ICluster cluster, string topic, int partitions, Func<Exception?> failure)
    {
        _cluster = cluster;
        _failure = failure;
        _consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "follower", ReadCommitted = true });
        foreach (var partition in Enumerable.Range(0, partitions)) _next[new TopicPartition(topic, partition)] = 0;
        _consumer.Assign([.. _next.Keys.Select(partition => new TopicPartitionOffset(partition, 0))]);
    }

    /// <summary>What has come so far.</summary>
    public IReadOnlyList<SeenRecord> Records => _records;

    /// <summary>The last value of each key, without the keys that were deleted.</summary>
    public IReadOnlyDictionary<string, string> Table()
    {
        var table = new Dictionary<string, string>();
        foreach (var record in _records)
        {
            if (record.Value is null) table.Remove(record.Key!);
            else table[record.Key!] = record.Value;
        }

        return table;
    }

    public Task WaitForCountAsync(int count) => WaitUntilAsync(() => _records.Count >= count, $"{count} records");

    /// <summary>Reads until a condition on what was read holds.</summary>
    public Task WaitUntilAsync(Func<bool> condition, string what) => OnOwnThread(() =>
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (Read() || TimeProvider.System.GetElapsedTime(started) < _patience && _failure() is null) continue;
            throw new TimeoutException($"Waited for {what}, but only {_records.Count} records came: {string.Join(", ", _records.TakeLast(20).Select(record => $"{record.Key}={record.Value}"))}", _failure());
        }
    });

    /// <summary>Reads what is there now to its end, and gives everything read so far.</summary>
    public async Task<IReadOnlyList<SeenRecord>> ReadToEndAsync()
    {
        using var admin = _cluster.CreateAdmin("follower");
        var ends = await admin.EndOffsetsAsync([.. _next.Keys], readCommitted: true, CancellationToken.None);
        await WaitUntilAsync(() => ends.All(end => _next[end.Key] >= end.Value), "the end of the topic");
        return _records;
    }

    public void Dispose() => _consumer.Dispose();

    // A poll blocks, and the pool's few threads are for the applications under test.
    private static Task OnOwnThread(Action action) => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private bool Read()
    {
        using var batch = _consumer.Poll(_look);
        if (batch is null) return false;
        for (var index = 0; index < batch.Count; index++)
        {
            _records.Add(new SeenRecord(
                batch.Partition,
                batch[index].Offset,
                batch[index].HasKey ? Encoding.UTF8.GetString(batch.Key(index)) : null,
                batch[index].HasValue ? Encoding.UTF8.GetString(batch.Value(index)) : null,
                batch[index].Timestamp,
                batch.Headers(index) ?? Headers.Empty));
        }

        _next[batch.Partition] = batch.NextOffset;
        return true;
    }
}
