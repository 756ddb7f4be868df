using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;
using Streams.Kafka.Consuming;
using Xunit;

namespace Streams.Kafka.Tests.Consuming;

/// <summary>What the managed consumer makes of brokers that do not just answer. What both libraries' consumers do is in <see cref="BrokerLiteContractTests"/>.</summary>
public sealed class ManagedConsumerTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TopicPartition _partition = new(ScriptedLog.Topic, 0);
    private readonly ScriptedLog _log = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public void Follows_the_leader()
    {
        _log.Append(0, 0, -1, "a", "b");
        using var consumer = NewAssigned();
        Assert.Equal(["a", "b"], Read(consumer, 2));
        _log.LeaderEpoch = 1;
        _log.Leader = 1;
        _log.Append(2, 1, -1, "c");

        // The old leader is still waiting with the fetch it has; it says what has happened when it knows.
        _log.OnHangUp = static (broker, _) => broker == 0;
        consumer.Assign([new TopicPartitionOffset(_partition, 2)]);
        _log.OnHangUp = static (_, _) => false;
        Assert.Equal(["c"], Read(consumer, 1));
    }

    [Fact]
    public void Poll_waits_its_time_although_records_of_a_paused_partition_come()
    {
        _log.Append(0, 0, -1, "a");
        using var consumer = NewAssigned();
        consumer.Pause([_partition]);
        var start = TimeProvider.System.GetTimestamp();
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(500)));
        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(400));
        consumer.Resume([_partition]);
        Assert.Equal(["a"], Read(consumer, 1));
    }

    [Fact]
    public void Not_being_the_leader_is_looked_up_again()
    {
        _log.Append(0, 0, -1, "a");
        _log.LeaderEpoch = 1;
        var wrong = 3;
        _log.OnFetch = (_, _) => wrong-- > 0 ? new FetchResponse.PartitionData { ErrorCode = ErrorCode.NotLeaderOrFollower } : null;
        using var consumer = NewAssigned();
        Assert.Equal(["a"], Read(consumer, 1));
        Assert.Equal(1, consumer.CachedEndOffset(_partition));
    }

    [Theory]
    [InlineData(ErrorCode.FencedLeaderEpoch)]
    [InlineData(ErrorCode.UnknownLeaderEpoch)]
    [InlineData(ErrorCode.OffsetNotAvailable)]
    [InlineData(ErrorCode.KafkaStorageError)]
    [InlineData(ErrorCode.UnknownTopicOrPartition)]
    public void Trouble_that_passes_is_waited_for(ErrorCode trouble)
    {
        _log.Append(0, 0, -1, "a");
        var left = 2;
        _log.OnFetch = (_, _) => left-- > 0 ? new FetchResponse.PartitionData { ErrorCode = trouble } : null;
        using var consumer = NewAssigned();
        Assert.Equal(["a"], Read(consumer, 1));
    }

    [Fact]
    public void Topic_that_is_not_known_yet_is_waited_for()
    {
        _log.Append(0, 0, -1, "a");
        _log.TopicError = ErrorCode.UnknownTopicOrPartition;
        using var consumer = NewAssigned();
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(20)));
        _log.TopicError = ErrorCode.None;
        Assert.Equal(["a"], Read(consumer, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Refusal_is_thrown(bool byTopic)
    {
        if (byTopic) _log.TopicError = ErrorCode.TopicAuthorizationFailed;
        else _log.OnFetch = static (_, _) => new FetchResponse.PartitionData { ErrorCode = ErrorCode.TopicAuthorizationFailed };
        using var consumer = NewAssigned();
        var failure = Assert.Throws<ClusterException>(() => Read(consumer, 1));
        Assert.Contains("t-0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("TOPIC_AUTHORIZATION_FAILED", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Connection_that_breaks_is_made_again_and_nothing_is_lost_or_doubled()
    {
        var batches = Enumerable.Range(0, 20).Select(number => _log.Append(number, 0, -1, $"{number}")).ToList();
        var fetches = 0;
        _log.OnHangUp = (_, request) => request is FetchRequest && ++fetches % 2 == 1;
        _log.OnFetch = (_, asked) => asked.FetchOffset < batches.Count ? _log.Data(batches[(int)asked.FetchOffset]) : null;
        using var consumer = NewAssigned();
        Assert.Equal(Enumerable.Range(0, batches.Count).Select(number => $"{number}"), Read(consumer, batches.Count));
    }

    /// <summary>KIP-320: what the new leader never had must not be skipped over or mixed with what it has in its place.</summary>
    [Fact]
    public void Log_that_an_election_has_cut_is_out_of_range_once()
    {
        _log.Append(0, 0, -1, "a", "b", "c");
        var moved = false;
        _log.OnFetch = (_, asked) => !moved && asked.FetchOffset == 3 ? new FetchResponse.PartitionData { ErrorCode = ErrorCode.NotLeaderOrFollower } : null;
        _log.EndOfEarlierEpoch = 2;
        using var consumer = NewAssigned(beforeRetry: () =>
        {
            _log.LeaderEpoch = 1;
            _log.Leader = 1;
            moved = true;
            _log.Clear();
            _log.Append(2, 1, -1, "other c", "other d");
        });
        Assert.Equal(["a", "b", "c"], Read(consumer, 3));
        var failure = Assert.Throws<OffsetOutOfRangeException>(() => Read(consumer, 1));
        Assert.Equal(3, failure.Offset);
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(20)));
        Assert.DoesNotContain(_log.Fetches, fetch => fetch is { Broker: 1 });

        consumer.Assign([new TopicPartitionOffset(_partition, 2)]);
        Assert.Equal(["other c", "other d"], Read(consumer, 2));
    }

    [Fact]
    public void Log_that_survives_an_election_is_read_on()
    {
        _log.Append(0, 0, -1, "a", "b", "c");
        var moved = false;
        _log.OnFetch = (_, asked) => !moved && asked.FetchOffset == 3 ? new FetchResponse.PartitionData { ErrorCode = ErrorCode.NotLeaderOrFollower } : null;
        _log.EndOfEarlierEpoch = 3;
        using var consumer = NewAssigned(beforeRetry: () =>
        {
            _log.LeaderEpoch = 1;
            _log.Leader = 1;
            moved = true;
            _log.Append(3, 1, -1, "d");
        });
        Assert.Equal(["a", "b", "c", "d"], Read(consumer, 4));
        Assert.Contains(_log.Fetches, fetch => fetch is { Broker: 1, Offset: 3 });
    }

    /// <summary>KIP-392.</summary>
    [Fact]
    public void Nearer_replica_is_read_and_the_leader_asked_when_it_has_not_got_it()
    {
        var records = _log.Append(0, 0, -1, "a", "b");
        _log.OnFetch = (broker, asked) => (broker, asked.FetchOffset) switch
        {
            (0, 0) => new FetchResponse.PartitionData { PreferredReadReplica = 1, HighWatermark = 3 },
            (1, 0) => _log.Data(records),
            (1, 2) => new FetchResponse.PartitionData { ErrorCode = ErrorCode.OffsetOutOfRange },
            _ => null,
        };
        using var consumer = NewAssigned(properties: new() { ["client.rack"] = "here" });
        Assert.Equal(["a", "b"], Read(consumer, 2));
        _log.Append(2, 0, -1, "c");
        Assert.Equal(["c"], Read(consumer, 1));
        Assert.Equal([(0, 0L, "here"), (1, 0L, "here"), (1, 2L, "here"), (0, 2L, "here")], _log.Fetches.Take(4));
    }

    /// <summary>The leader goes on preferring a replica that cannot give the records: both are asked with growing pauses, not in a loop.</summary>
    [Fact]
    public void Replica_that_keeps_failing_is_gone_back_to_with_pauses()
    {
        const int Failures = 4;
        var failures = 0;
        _log.Append(0, 0, -1, "a");
        _log.OnFetch = (broker, _) => broker switch
        {
            0 when failures == Failures => null,
            0 => new FetchResponse.PartitionData { PreferredReadReplica = 1, HighWatermark = 1 },
            _ => new FetchResponse.PartitionData { ErrorCode = failures++ < Failures ? ErrorCode.ReplicaNotAvailable : ErrorCode.None },
        };
        var time = new PauseCounter(_log.Settings.MaxBackoff);
        using var consumer = NewConsumer(new() { ["client.rack"] = "here" }, time: time);
        consumer.Assign([new TopicPartitionOffset(_partition, 0)]);
        Assert.Equal(["a"], Read(consumer, 1));
        Assert.Equal(Failures, _log.Fetches.Count(fetch => fetch.Broker == 1));

        // Only the very first look-up does not wait: no attempt had failed then.
        Assert.Equal(Failures, time.Pauses);
    }

    /// <summary>Apache Kafka lists aborted transactions in the order in which they ended.</summary>
    [Fact]
    public void Aborted_transactions_are_hidden_in_whatever_order_they_are_listed()
    {
        _log.Append(0, 0, 7, "of 7");
        _log.Append(1, 0, 8, "of 8");
        _log.Append(2, 0, 9, "of 9");
        _log.Append(3, 0, -1, "plain");
        _log.Aborted.Add(new FetchResponse.AbortedTransaction { ProducerId = 9, FirstOffset = 2 });
        _log.Aborted.Add(new FetchResponse.AbortedTransaction { ProducerId = 7, FirstOffset = 0 });
        using var consumer = NewAssigned(readCommitted: true);
        Assert.Equal(["of 8", "plain"], Read(consumer, 2));
    }

    [Fact]
    public void Batch_that_is_cut_off_is_fetched_again()
    {
        var first = _log.Append(0, 0, -1, "a");
        var second = _log.Append(1, 0, -1, "b", "c");
        _log.OnFetch = (_, asked) => asked.FetchOffset == 0 ? _log.Data([.. first, .. second[..^3]]) : null;
        using var consumer = NewAssigned();
        Assert.Equal(["a", "b", "c"], Read(consumer, 3));
        Assert.Equal([0L, 1L], _log.Fetches.Take(2).Select(fetch => fetch.Offset));
    }

    [Fact]
    public void Damaged_batch_is_an_error_after_what_is_before_it()
    {
        var first = _log.Append(0, 0, -1, "a");
        var second = _log.Append(1, 0, -1, "b");
        second[^2] ^= 1;
        _log.OnFetch = (_, asked) => asked.FetchOffset == 0 ? _log.Data([.. first, .. second]) : _log.Data(second);
        using var consumer = NewAssigned();
        Assert.Equal(["a"], Read(consumer, 1));
        var failure = Assert.Throws<SerializationException>(() => Read(consumer, 1));
        Assert.Contains("t-0 at offset 1", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A quota's delay is the client's to keep (KIP-219).</summary>
    [Fact]
    public void Throttled_client_does_not_ask_again_before_its_time()
    {
        var first = _log.Append(0, 0, -1, "a");
        _log.Append(1, 0, -1, "b");
        _log.OnFetch = (_, asked) => asked.FetchOffset == 0 ? _log.Data(first) : null;
        _log.ThrottleTimeMs = 600_000;
        using var consumer = NewAssigned();
        Assert.Equal(["a"], Read(consumer, 1));
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(50)));
        Assert.Single(_log.Fetches);
    }

    [Fact]
    public async Task Ends_at_once_while_a_fetch_is_waiting()
    {
        var consumer = NewAssigned();
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(20)));
        await Task.Run(consumer.Dispose, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
        Assert.Throws<ObjectDisposedException>(() => consumer.Poll(TimeSpan.Zero));
    }

    /// <summary>Whatever brokers do to single fetches, and whatever the reader pauses and resumes, each record comes once and in order.</summary>
    [Fact]
    public void Faults_at_random_lose_and_double_nothing()
    {
        const int Batches = 150;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var batches = new List<(long Base, byte[] Bytes)>();
        var next = 0L;
        while (batches.Count < Batches)
        {
            var values = Enumerable.Range(0, random.Next(1, 6)).Select(index => $"{next + index}").ToArray();
            batches.Add((next, _log.Append(next, _log.LeaderEpoch, -1, values)));
            next += values.Length;
        }

        // On the broker's side, under its lock.
        _log.OnHangUp = (_, _) => random.Next(12) == 0;
        _log.OnFetch = (broker, asked) =>
        {
            if (random.Next(15) == 0)
            {
                _log.Leader ^= 1;
                _log.LeaderEpoch++;
            }

            if (asked.FetchOffset == next) return null;
            switch (random.Next(8))
            {
                case 0:
                    return new FetchResponse.PartitionData { ErrorCode = ErrorCode.OffsetNotAvailable };
                case 1:
                    return _log.Data([]);
                case 2 when broker == _log.Leader && asked.CurrentLeaderEpoch == _log.LeaderEpoch:
                    return new FetchResponse.PartitionData { PreferredReadReplica = broker ^ 1 };
                case 3:
                    return new FetchResponse.PartitionData { ErrorCode = ErrorCode.NotLeaderOrFollower };
                default:
                    var found = batches.FindLastIndex(batch => batch.Base <= asked.FetchOffset);
                    var bytes = batches.Skip(found).Take(random.Next(1, 4)).SelectMany(batch => batch.Bytes).ToArray();
                    var whole = batches[found].Bytes.Length;
                    return _log.Data(random.Next(3) == 0 ? bytes[..random.Next(whole, bytes.Length + 1)] : bytes);
            }
        };
        using var consumer = NewAssigned(properties: new() { ["client.rack"] = "here" });
        var reading = new Random(seed);
        var read = new List<string>();
        while (read.Count < next)
        {
            if (reading.Next(4) == 0)
            {
                consumer.Pause([_partition]);
                Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(reading.Next(2))));
                consumer.Resume([_partition]);
            }

            if (reading.Next(10) == 0) consumer.Assign([new TopicPartitionOffset(_partition, read.Count)]);
            using var batch = consumer.Poll(_patience);
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++) read.Add(Encoding.UTF8.GetString(batch.Value(index)));
        }

        Assert.Equal(Enumerable.Range(0, (int)next).Select(number => $"{number}"), read);
    }

    [Theory]
    [InlineData("fetch.min.bytes", "many")]
    [InlineData("fetch.max.bytes", "0")]
    [InlineData("enable.auto.commit", "true")]
    [InlineData("queued.min.messages", "5")]
    public void Setting_that_is_wrong_or_not_known_is_refused(string name, string value)
    {
        var failure = Assert.Throws<ConfigException>(() => NewConsumer(new() { [name] = value }));
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    private static List<string> Read(ManagedConsumer consumer, int count)
    {
        var values = new List<string>();
        while (values.Count < count)
        {
            using var batch = consumer.Poll(_patience);
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++) values.Add(Encoding.UTF8.GetString(batch.Value(index)));
        }

        Assert.Equal(count, values.Count);
        return values;
    }

    private ManagedConsumer NewAssigned(bool readCommitted = false, Dictionary<string, string>? properties = null, Action? beforeRetry = null)
    {
        if (beforeRetry is not null)
        {
            // The look-up after the old leader's refusal is where the cluster has changed.
            var lookUps = 0;
            var inner = _log.OnHangUp;
            _log.OnHangUp = (broker, request) =>
            {
                if (request is MetadataRequest && ++lookUps == 2) beforeRetry();
                return inner(broker, request);
            };
        }

        var consumer = NewConsumer(properties ?? [], readCommitted);
        consumer.Assign([new TopicPartitionOffset(_partition, 0)]);
        return consumer;
    }

    private ManagedConsumer NewConsumer(Dictionary<string, string> properties, bool readCommitted = false, TimeProvider? time = null)
    {
        var options = new ConsumerOptions { ClientId = "test", ReadCommitted = readCommitted, Properties = properties };
        return new ManagedConsumer(options, new ClientSettings("Consumer test", new Dictionary<string, string>(), properties), _log.Settings with { InitialBackoff = _log.Settings.MaxBackoff }, time ?? TimeProvider.System, new Random(1), NullLogger.Instance);
    }

    /// <summary>The system's clock; counts what is waited for before an attempt is made again.</summary>
    private sealed class PauseCounter(TimeSpan maxBackoff) : TimeProvider
    {
        private int _pauses;

        public int Pauses => Volatile.Read(ref _pauses);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            const double WithJitter = 1.2;
            if (dueTime > TimeSpan.Zero && dueTime <= maxBackoff * WithJitter) Interlocked.Increment(ref _pauses);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
