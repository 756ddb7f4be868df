using System.Buffers.Binary;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests.Faults;

/// <summary>Managed clients and a broker that takes bytes slowly, or none any more.</summary>
public sealed class SlowPeerTests
{
    private const int ValueBytes = 1000;
    private const int BufferBytes = 1 << 20;

    /// <summary>Far less than any time limit of a call or a request, far more than a loaded machine needs.</summary>
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TopicPartition _partition = new("t", 0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1000, false)]
    [InlineData(1000, true)]
    [InlineData(0, false)]
    [InlineData(0, true)]
    public async Task Send_blocks_at_the_bound_and_the_end_comes_soon(int bytesPerSecond, bool isTransactional)
    {
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync([], Token);
        await using var cluster = await ConnectAsync(relay, []);
        using var closing = new CancellationTokenSource();
        var producer = cluster.CreateProducer(
            new ProducerOptions { ClientId = "test", TransactionalId = isTransactional ? "tx" : null, MaxBufferedBytes = BufferBytes, Closing = closing.Token });
        var topic = producer.GetTopic("t");
        if (isTransactional)
        {
            producer.InitTransactions(Token);
            producer.BeginTransaction();
        }

        // All connections are there, so that it is the records that are slow.
        Send(producer, topic, 0);
        producer.Flush(Token);
        Slow(relay, bytesPerSecond);
        var sent = 0L;
        var sending = Task.Factory.StartNew(
            () =>
            {
                for (var number = 1; ; number++)
                {
                    Send(producer, topic, number);
                    Interlocked.Exchange(ref sent, number);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        const int Fitting = BufferBytes / (ValueBytes + 100);
        await UntilAsync(() => Interlocked.Read(ref sent) >= Fitting, () => $"only {sent} records were taken");
        Assert.True(Interlocked.Read(ref sent) <= BufferBytes / ValueBytes, $"{sent} records of {ValueBytes} bytes were taken");
        Assert.False(sending.IsCompleted);

        var start = TimeProvider.System.GetTimestamp();
        await closing.CancelAsync();
        await Assert.ThrowsAsync<ClusterUnavailableException>(() => sending.WaitAsync(_soon, Token));
        await Task.Run(producer.Dispose, Token).WaitAsync(_soon, Token);
        TestContext.Current.TestOutputHelper!.WriteLine($"{sent} records taken, ended within {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:F0} ms");
    }

    /// <summary>Some of the records have been counted by the broker when the connection is given up, and nobody knows which.</summary>
    [Fact]
    public async Task Records_that_were_stuck_come_once_and_in_order_when_bytes_flow_again()
    {
        const int Stalls = 3;
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync([], Token);
        await using var cluster = await ConnectAsync(relay, new() { ["request.timeout.ms"] = "500" });
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", MaxBufferedBytes = BufferBytes, Linger = TimeSpan.Zero });
        var topic = producer.GetTopic("t");
        var number = 0;
        for (var stall = 0; stall < Stalls; stall++)
        {
            for (var count = 0; count < 100; count++) Send(producer, topic, number++);
            var before = relay.Opened;
            relay.Stall();
            for (var count = 0; count < 500; count++) Send(producer, topic, number++);
            await UntilAsync(() => relay.Opened > before, () => "the connection was not given up");
            relay.Flow();
            producer.Flush(Token);
        }

        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        consumer.Assign([new TopicPartitionOffset(_partition, 0)]);
        for (var next = 0; next < number;)
        {
            using var batch = consumer.Poll(_patience);
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++) Assert.Equal(next++, BinaryPrimitives.ReadInt32BigEndian(batch.Value(index)));
        }

        using var admin = cluster.CreateAdmin("test");
        Assert.Equal(number, (await admin.EndOffsetsAsync([_partition], readCommitted: false, Token))[_partition]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transaction_can_be_given_up_when_bytes_flow_again(bool isGivenUpBefore)
    {
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync([], Token);
        await using var cluster = await ConnectAsync(relay, new() { ["request.timeout.ms"] = "1000" });
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", TransactionalId = "tx", Linger = TimeSpan.Zero });
        var topic = producer.GetTopic("t");
        producer.InitTransactions(Token);
        producer.BeginTransaction();
        Send(producer, topic, 1);
        producer.Flush(Token);
        relay.Stall();
        Send(producer, topic, 2);
        var before = relay.Opened;
        var aborting = isGivenUpBefore ? Task.CompletedTask : Task.Run(() => producer.AbortTransaction(CancellationToken.None), Token);
        await UntilAsync(() => relay.Opened > before, () => "the connection was not given up");
        relay.Flow();
        if (isGivenUpBefore) producer.AbortTransaction(Token);
        await aborting.WaitAsync(_patience, Token);

        producer.BeginTransaction();
        Send(producer, topic, 3);
        producer.CommitTransaction(Token);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test", ReadCommitted = true });
        consumer.Assign([new TopicPartitionOffset(_partition, 0)]);
        var read = new List<int>();
        var start = TimeProvider.System.GetTimestamp();
        while (read.Count == 0)
        {
            // What was given up comes as a batch without records.
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(100));
            for (var index = 0; index < (batch?.Count ?? 0); index++) read.Add(BinaryPrimitives.ReadInt32BigEndian(batch!.Value(index)));
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, "nothing has come");
        }

        Assert.Equal([3], read);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    public async Task Consumer_ends_soon(int bytesPerSecond)
    {
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync([], Token);
        await using var cluster = await ConnectAsync(relay, []);
        var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        Slow(relay, bytesPerSecond);
        consumer.Assign([new TopicPartitionOffset(_partition, 0)]);
        var before = relay.Opened;
        await UntilAsync(() => relay.Opened > before, () => "no connection was made");
        Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(50)));
        await Task.Run(consumer.Dispose, Token).WaitAsync(_soon, Token);
    }

    private static void Slow(Relay relay, int bytesPerSecond)
    {
        if (bytesPerSecond > 0) relay.BytesPerSecond = bytesPerSecond;
        else relay.Stall();
    }

    private static async Task<KafkaCluster> ConnectAsync(Relay relay, Dictionary<string, string> settings)
    {
        foreach (var (name, value) in Library.Settings(Library.Managed)) settings[name] = value;
        var cluster = new KafkaCluster(relay.Address, settings);
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([new NewTopic("t", 1, 1, new Dictionary<string, string>())], Token);
        return cluster;
    }

    private static void Send(IRecordProducer producer, ProducerTopic topic, int number)
    {
        Span<byte> value = stackalloc byte[ValueBytes];
        value.Clear();
        BinaryPrimitives.WriteInt32BigEndian(value, number);
        producer.Send(topic, 0, new OutgoingRecord("k"u8, true, value, true, 1, null));
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, otherwise());
            await Task.Delay(20, Token);
        }
    }
}
