using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using Streams.Core;

namespace Streams.Client.Tests;

/// <summary>What producer and consumer do on any cluster.</summary>
public abstract class ClientTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static int s_names;

    private ICluster? _cluster;
    private IClusterAdmin? _admin;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private ICluster Cluster => _cluster!;

    protected abstract ValueTask<ICluster> StartClusterAsync();

    protected virtual ValueTask StopClusterAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _cluster = await StartClusterAsync();
        _admin = _cluster.CreateAdmin("tests");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _admin?.Dispose();
        if (_cluster is not null) await _cluster.DisposeAsync();
        await StopClusterAsync();
    }

    [Fact]
    public async Task Records_come_back_as_they_were_produced()
    {
        var topic = await NewTopicAsync(3);
        await using var producer = new Producer<string?, long?>(Cluster, null, Text(), Serdes.Nullable(Serdes.Int64));
        var headers = Headers.Empty.Add("h", "x");
        var at = await producer.ProduceAsync(topic, new Record<string?, long?>("key", 7, 123_456, headers), cancellationToken: Token);
        Assert.Equal(new TopicPartition(topic, Murmur2.Partition("key"u8, 3)), at);
        Assert.Equal(at, await producer.ProduceAsync(topic, "key", null, Token));
        Assert.Equal(2, (await producer.ProduceAsync(topic, new Record<string?, long?>(null, 9, 1), partition: 2, Token)).Partition);

        await using var consumer = new Consumer<string?, long?>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest }, Text(), Serdes.Nullable(Serdes.Int64));
        await consumer.AssignAsync([new TopicPartition(topic, 0), new TopicPartition(topic, 1), new TopicPartition(topic, 2)], Token);
        var read = await ReadAsync(consumer, 3);
        var first = read.First(result => result.Key == "key");
        Assert.Equal((at, 123_456L, 7L, "x"), (first.Partition, first.Record.Timestamp, first.Value, first.Record.Headers[0].ValueAsString()));
        var tombstone = read.Last(result => result.Key == "key");
        Assert.False(tombstone.Record.HasValue);
        Assert.True(tombstone.Record.Timestamp > 1_600_000_000_000);
        Assert.Equal(first.Offset + 1, tombstone.Offset);
        var keyless = read.Single(result => !result.Record.HasKey);
        Assert.Equal((2, 9L), (keyless.Partition.Partition, keyless.Value));
    }

    [Fact]
    public async Task Many_posted_records_keep_their_order_within_a_small_buffer()
    {
        var topic = await NewTopicAsync(1);
        const int Count = 5_000;
        await using (var producer = new Producer<string, int>(Cluster, new ProducerSettings { MaxBufferedBytes = 1_000, MaxBufferedRecords = 40 }))
        {
            for (var number = 0; number < Count; number++) await producer.PostAsync(topic, "k", number, Token);
            await producer.FlushAsync(Token);
        }

        await using var consumer = await AssignedAsync(topic);
        Assert.Equal(Enumerable.Range(0, Count), (await ReadAsync(consumer, Count)).Select(result => result.Value));
    }

    [Fact]
    public async Task Many_writers_share_a_producer()
    {
        var topic = await NewTopicAsync(2);
        await using var producer = new Producer<string, int>(Cluster);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(writer => Task.Run(
            async () =>
            {
                for (var number = 0; number < 50; number++) await producer.ProduceAsync(topic, $"w{writer}", number, Token);
            },
            Token)));
        await using var consumer = new Consumer<string, int>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest });
        await consumer.AssignAsync([new TopicPartition(topic, 0), new TopicPartition(topic, 1)], Token);
        var byWriter = (await ReadAsync(consumer, 1_000)).GroupBy(result => result.Key).ToList();
        Assert.Equal(20, byWriter.Count);
        Assert.All(byWriter, writer => Assert.Equal(Enumerable.Range(0, 50), writer.Select(result => result.Value)));
    }

    [Fact]
    public async Task Record_that_cannot_be_written_fails_alone_and_says_where()
    {
        var topic = await NewTopicAsync(1);
        await using var producer = new Producer<string, string>(Cluster, null, null, new Picky());
        var missing = await Assert.ThrowsAnyAsync<StreamsException>(() => producer.ProduceAsync(topic + "-missing", "k", "v", Token));
        Assert.Contains(topic + "-missing", missing.Message, StringComparison.Ordinal);
        var partition = await Assert.ThrowsAsync<ProductionException>(() => producer.ProduceAsync(topic, new Record<string, string>("k", "v", 1), partition: 5, Token));
        Assert.Contains("no partition 5", partition.Message, StringComparison.Ordinal);
        var unwritable = await Assert.ThrowsAsync<SerializationException>(() => producer.ProduceAsync(topic, "k", "bad", Token));
        Assert.Contains(topic, unwritable.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => producer.BeginTransactionAsync(Token));

        await producer.PostAsync(topic + "-missing", "k", "v", Token);
        await Assert.ThrowsAnyAsync<StreamsException>(() => producer.FlushAsync(Token));
        await producer.FlushAsync(Token);
        await producer.ProduceAsync(topic, "k", "good", Token);
        await using var consumer = new Consumer<string, string>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest });
        await consumer.AssignAsync([new TopicPartition(topic, 0)], Token);
        Assert.Equal(["good"], (await ReadAsync(consumer, 1)).Select(result => result.Value));
    }

    [Fact]
    public async Task Record_too_large_for_the_topic_fails_and_the_next_is_written()
    {
        var topic = await NewTopicAsync(1, ("max.message.bytes", "2000"));
        await using var producer = new Producer<string, string>(Cluster);
        var failure = await Assert.ThrowsAsync<ProductionException>(() => producer.ProduceAsync(topic, "k", new string('x', 5_000), Token));
        Assert.Contains(topic, failure.Message, StringComparison.Ordinal);
        await producer.ProduceAsync(topic, "k", "small", Token);
    }

    [Fact]
    public async Task Transaction_is_seen_when_it_is_committed_and_never_when_it_is_not()
    {
        var topic = await NewTopicAsync(1);
        await using var producer = new Producer<string, int>(Cluster, new ProducerSettings { TransactionalId = NewName() });
        await Assert.ThrowsAsync<InvalidOperationException>(() => producer.ProduceAsync(topic, "k", 0, Token));
        await using (var aborted = await producer.BeginTransactionAsync(Token))
        {
            await producer.ProduceAsync(topic, "k", 1, Token);
            await Assert.ThrowsAsync<InvalidOperationException>(() => producer.BeginTransactionAsync(Token));
        }

        await using (var committed = await producer.BeginTransactionAsync(Token))
        {
            await producer.PostAsync(topic, "k", 2, Token);
            await producer.PostAsync(topic, "k", 3, Token);
            await committed.CommitAsync(Token);
        }

        await using var consumer = await AssignedAsync(topic);
        Assert.Equal([2, 3], (await ReadAsync(consumer, 2)).Select(result => result.Value));
        await using var uncommitted = new Consumer<string, int>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest, ReadCommitted = false });
        await uncommitted.AssignAsync([new TopicPartition(topic, 0)], Token);
        Assert.Equal([1, 2, 3], (await ReadAsync(uncommitted, 3)).Select(result => result.Value));
    }

    [Fact]
    public async Task Transaction_with_a_failed_record_is_aborted_whoever_saw_the_failure()
    {
        var topic = await NewTopicAsync(1);
        await using var producer = new Producer<string, int>(Cluster, new ProducerSettings { TransactionalId = NewName() });
        await using (var transaction = await producer.BeginTransactionAsync(Token))
        {
            await producer.ProduceAsync(topic, "k", 1, Token);
            await Assert.ThrowsAnyAsync<StreamsException>(() => producer.ProduceAsync(topic, new Record<string, int>("k", 2, 1), partition: 9, Token));
            await Assert.ThrowsAsync<TransactionAbortedException>(() => transaction.CommitAsync(Token));
        }

        await using (var transaction = await producer.BeginTransactionAsync(Token))
        {
            await producer.ProduceAsync(topic, "k", 3, Token);
            await transaction.CommitAsync(Token);
        }

        await using var consumer = await AssignedAsync(topic);
        Assert.Equal([3], (await ReadAsync(consumer, 1)).Select(result => result.Value));
    }

    [Fact]
    public async Task Newer_producer_of_the_same_transactional_id_fences_the_older()
    {
        var topic = await NewTopicAsync(1);
        var id = NewName();
        await using var older = new Producer<string, int>(Cluster, new ProducerSettings { TransactionalId = id });
        await using var open = await older.BeginTransactionAsync(Token);
        await older.ProduceAsync(topic, "k", 1, Token);
        await using var newer = new Producer<string, int>(Cluster, new ProducerSettings { TransactionalId = id });
        await using (var transaction = await newer.BeginTransactionAsync(Token))
        {
            await newer.ProduceAsync(topic, "k", 2, Token);
            await transaction.CommitAsync(Token);
        }

        await Assert.ThrowsAsync<TaskMigratedException>(() => open.CommitAsync(Token));
        await Assert.ThrowsAnyAsync<StreamsException>(async () =>
        {
            await older.BeginTransactionAsync(Token);
        });
        await using var consumer = await AssignedAsync(topic);
        Assert.Equal([2], (await ReadAsync(consumer, 1)).Select(result => result.Value));
    }

    [Fact]
    public async Task Consumed_offsets_are_committed_with_what_was_made_of_them()
    {
        var input = await NewTopicAsync(1);
        var output = await NewTopicAsync(1);
        var group = NewName();
        await using (var seed = new Producer<string, int>(Cluster))
        {
            for (var number = 1; number <= 3; number++) await seed.ProduceAsync(input, "k", number, Token);
        }

        await using (var consumer = await AssignedAsync(input, group))
        await using (var producer = new Producer<string, int>(Cluster, new ProducerSettings { TransactionalId = NewName() }))
        await using (var transaction = await producer.BeginTransactionAsync(Token))
        {
            foreach (var result in await ReadAsync(consumer, 2)) await producer.ProduceAsync(output, result.Key, result.Value * 10, Token);
            await transaction.SendOffsetsAsync(consumer.OffsetsToCommit(), consumer.Membership, Token);
            await transaction.CommitAsync(Token);
        }

        await using var next = await AssignedAsync(input, group);
        Assert.Equal([3], (await ReadAsync(next, 1)).Select(result => result.Value));
        await using var results = await AssignedAsync(output);
        Assert.Equal([10, 20], (await ReadAsync(results, 2)).Select(result => result.Value));
    }

    [Fact]
    public async Task Commit_includes_the_record_in_hand_and_the_automatic_one_does_not()
    {
        var topic = await NewTopicAsync(1);
        await SeedAsync(topic, 5);
        var partition = new TopicPartition(topic, 0);

        var byHand = NewName();
        await using (var consumer = await AssignedAsync(topic, byHand, interval: null))
        {
            await foreach (var result in consumer.ReadAllAsync(Token))
            {
                if (result.Value < 2) continue;
                await consumer.CommitAsync(Token);
                break;
            }

            Assert.Equal(3, (await consumer.CommittedAsync([partition], Token))[partition]);
        }

        var automatic = NewName();
        await using (var consumer = await AssignedAsync(topic, automatic, TimeSpan.FromHours(1)))
        {
            await foreach (var result in consumer.ReadAllAsync(Token))
            {
                if (result.Value == 2) break;
            }
        }

        // Closing has committed what was processed: the record that the loop ended in is not.
        await using var again = await AssignedAsync(topic, automatic, interval: null);
        Assert.Equal([2, 3], (await ReadAsync(again, 2)).Select(result => result.Value));
        await using var groupless = await AssignedAsync(topic);
        await Assert.ThrowsAsync<InvalidOperationException>(() => groupless.CommitAsync(Token));
    }

    [Fact]
    public async Task Seek_goes_elsewhere_by_offset_and_by_time()
    {
        var topic = await NewTopicAsync(1);
        await using (var producer = new Producer<string, int>(Cluster))
        {
            for (var number = 0; number < 10; number++) await producer.PostAsync(topic, new Record<string, int>("k", number, 1_000 * (number + 1)), cancellationToken: Token);
            await producer.FlushAsync(Token);
        }

        var partition = new TopicPartition(topic, 0);
        await using var consumer = await AssignedAsync(topic);
        Assert.Equal([0, 1, 2], (await ReadAsync(consumer, 3)).Select(result => result.Value));
        await consumer.SeekAsync(partition, 1, Token);
        Assert.Equal([1, 2], (await ReadAsync(consumer, 2)).Select(result => result.Value));
        await consumer.SeekAsync(DateTimeOffset.FromUnixTimeMilliseconds(7_500), Token);
        Assert.Equal([7, 8, 9], (await ReadAsync(consumer, 3)).Select(result => result.Value));
        Assert.Equal([new TopicPartitionOffset(partition, 10)], consumer.Positions);
        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.SeekAsync(new TopicPartition(topic, 1), 0, Token));
    }

    [Fact]
    public async Task Unreadable_record_names_its_place_and_can_be_passed_over()
    {
        var topic = await NewTopicAsync(1);
        await using (var producer = new Producer<string, byte[]>(Cluster))
        {
            await producer.ProduceAsync(topic, "k", [0, 0, 0, 1], Token);
            await producer.ProduceAsync(topic, "k", [1, 2], Token);
            await producer.ProduceAsync(topic, "k", [0, 0, 0, 3], Token);
        }

        await using var consumer = await AssignedAsync(topic);
        Assert.Equal(1, (await ReadAsync(consumer, 1))[0].Value);
        for (var time = 0; time < 2; time++)
        {
            var failure = await Assert.ThrowsAsync<ConsumeException>(() => ReadAsync(consumer, 1));
            Assert.Equal((new TopicPartition(topic, 0), 1L), (failure.Partition, failure.Offset));
            Assert.Contains("value", failure.Message, StringComparison.Ordinal);
        }

        await consumer.SeekAsync(new TopicPartition(topic, 0), 2, Token);
        Assert.Equal(3, (await ReadAsync(consumer, 1))[0].Value);
    }

    [Fact]
    public async Task Position_out_of_the_log_is_reset_or_an_error()
    {
        var topic = await NewTopicAsync(1);
        await SeedAsync(topic, 2);
        var beyond = new TopicPartitionOffset(new TopicPartition(topic, 0), 99);
        await using var lenient = new Consumer<string, int>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest });
        await lenient.AssignAsync([beyond], Token);
        Assert.Equal([0, 1], (await ReadAsync(lenient, 2)).Select(result => result.Value));

        await using var strict = new Consumer<string, int>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.None });
        await strict.AssignAsync([beyond], Token);
        await Assert.ThrowsAsync<ConfigException>(() => ReadAsync(strict, 1));
    }

    [Fact]
    public async Task Group_shares_partitions_and_takes_over_from_who_leaves()
    {
        var topic = await NewTopicAsync(4);
        var group = NewName();
        var seen = new ConcurrentDictionary<int, int>();
        await using var first = Grouped(group);
        await first.SubscribeAsync([topic]);
        await UntilAsync(() => first.Assignment.Count == 4);

        using var stopSecond = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var second = Grouped(group);
        await second.SubscribeAsync([topic]);
        await UntilAsync(() => first.Assignment.Count == 2 && second.Assignment.Count == 2);
        Assert.Empty(first.Assignment.Intersect(second.Assignment));

        using var stopFirst = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var readers = new[] { CollectAsync(first, seen, stopFirst.Token), CollectAsync(second, seen, stopSecond.Token) };
        await using var producer = new Producer<string, int>(Cluster);
        for (var number = 0; number < 200; number++) await producer.PostAsync(topic, number.ToString(CultureInfo.InvariantCulture), number, Token);
        await producer.FlushAsync(Token);
        await UntilAsync(() => seen.Count == 200);
        Assert.All(seen.Values, times => Assert.Equal(1, times));

        await stopSecond.CancelAsync();
        await readers[1];
        await second.DisposeAsync();
        await UntilAsync(() => first.Assignment.Count == 4);
        for (var number = 200; number < 400; number++) await producer.PostAsync(topic, number.ToString(CultureInfo.InvariantCulture), number, Token);
        await producer.FlushAsync(Token);
        await UntilAsync(() => seen.Count == 400);

        // Of what the second had read, only the record it stopped in may be read again.
        Assert.True(seen.Values.Count(times => times > 1) <= 1, $"{seen.Values.Count(times => times > 1)} records were read twice");
        await stopFirst.CancelAsync();
        await readers[0];
    }

    [Fact]
    public async Task Subscription_finds_a_topic_that_is_made_later()
    {
        var topic = NewName();
        await using var consumer = new Consumer<string, int>(Cluster, Settings(NewName()) with { MetadataMaxAge = TimeSpan.FromMilliseconds(100) });
        await consumer.SubscribeAsync([topic]);
        await UntilAsync(() => consumer.Membership.GenerationId > 0);
        Assert.Empty(consumer.Assignment);
        await MakeAsync(topic, 2);
        await UntilAsync(() => consumer.Assignment.Count == 2);
    }

    [Fact]
    public async Task Paused_partition_waits()
    {
        var topic = await NewTopicAsync(2);
        var (paused, running) = (new TopicPartition(topic, 0), new TopicPartition(topic, 1));
        await using var consumer = new Consumer<string, int>(Cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest });
        await consumer.AssignAsync([paused, running], Token);
        await consumer.PauseAsync([paused], Token);
        await using var producer = new Producer<string, int>(Cluster);
        await producer.ProduceAsync(topic, new Record<string, int>("k", 1, 1), 0, Token);
        await producer.ProduceAsync(topic, new Record<string, int>("k", 2, 1), 1, Token);
        Assert.Equal(2, (await ReadAsync(consumer, 1))[0].Value);
        await consumer.ResumeAsync([paused], Token);
        Assert.Equal(1, (await ReadAsync(consumer, 1))[0].Value);
    }

    [Fact]
    public async Task Reader_ends_when_the_consumer_is_closed_and_there_is_one_at_a_time()
    {
        var topic = await NewTopicAsync(1);
        var consumer = await AssignedAsync(topic);
        var reading = ReadAsync(consumer, 1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(consumer, 1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.AssignAsync([new TopicPartition(topic, 0)], Token));
        await consumer.DisposeAsync();
        Assert.Empty(await reading);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(consumer, 1));
        await consumer.DisposeAsync();
    }

    [Fact]
    public async Task Closed_producer_refuses_and_writes_what_it_had_accepted()
    {
        var topic = await NewTopicAsync(1);
        var producer = new Producer<string, int>(Cluster);
        for (var number = 0; number < 100; number++) await producer.PostAsync(topic, "k", number, Token);
        await producer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => producer.ProduceAsync(topic, "k", 1, Token));
        await using var consumer = await AssignedAsync(topic);
        Assert.Equal(100, (await ReadAsync(consumer, 100)).Count);
    }

    private static ConsumerSettings Settings(string group) => new()
    {
        GroupId = group,
        AutoOffsetReset = OffsetReset.Earliest,
        HeartbeatInterval = TimeSpan.FromMilliseconds(100),
        SessionTimeout = TimeSpan.FromSeconds(30),
    };

    private static ISerde<string?> Text() => Serdes.String!;

    private static async Task<List<ConsumeResult<K, V>>> ReadAsync<K, V>(Consumer<K, V> consumer, int count)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(s_patience);
        var results = new List<ConsumeResult<K, V>>();
        await foreach (var result in consumer.ReadAllAsync(limit.Token))
        {
            results.Add(result);
            if (results.Count == count) break;
        }

        return results;
    }

    private static async Task CollectAsync(Consumer<string, int> consumer, ConcurrentDictionary<int, int> seen, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var result in consumer.ReadAllAsync(cancellationToken)) seen.AddOrUpdate(result.Value, 1, (_, times) => times + 1);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The test's way of stopping.
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(s_patience);
        while (!condition()) await Task.Delay(10, limit.Token);
    }

    private static string NewName() => $"client-{Interlocked.Increment(ref s_names)}";

    private Consumer<string, int> Grouped(string group) => new(Cluster, Settings(group));

    private async Task<Consumer<string, int>> AssignedAsync(string topic, string? group = null, TimeSpan? interval = null)
    {
        var consumer = new Consumer<string, int>(Cluster, new ConsumerSettings { GroupId = group, AutoOffsetReset = OffsetReset.Earliest, AutoCommitInterval = interval });
        await consumer.AssignAsync([new TopicPartition(topic, 0)], Token);
        return consumer;
    }

    private async Task SeedAsync(string topic, int count)
    {
        await using var producer = new Producer<string, int>(Cluster);
        for (var number = 0; number < count; number++) await producer.PostAsync(topic, "k", number, Token);
        await producer.FlushAsync(Token);
    }

    private async Task<string> NewTopicAsync(int partitions, params (string Key, string Value)[] settings)
    {
        var topic = NewName();
        await MakeAsync(topic, partitions, settings);
        return topic;
    }

    private async Task MakeAsync(string topic, int partitions, params (string Key, string Value)[] settings)
    {
        // Records of 1970 would be deleted for their age.
        var config = settings.Append(("retention.ms", "-1")).ToDictionary(entry => entry.Item1, entry => entry.Item2);
        await _admin!.CreateTopicsAsync([new NewTopic(topic, partitions, 1, config)], Token);
        while ((await _admin.DescribeTopicsAsync([topic], Token)).Count == 0) await Task.Delay(10, Token);
    }

    private sealed class Picky : ISerializer<string>
    {
        public void Serialize(string value, IBufferWriter<byte> output)
        {
            if (value == "bad") throw new FormatException("bad value");
            Serdes.String.Serialize(value, output);
        }
    }
}
