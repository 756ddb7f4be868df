using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Bench.Broker;

/// <summary>
/// A broker of its own under librdkafka: 100-byte messages produced and consumed as fast as they go, one at a time, and at a steady rate. The broker's
/// CPU time per message is what compares between machines and loads; messages per second are also the client's.
/// </summary>
internal static class ProduceRun
{
    private const int MessageBytes = 100;

    public static async Task RunAsync(string folder, long messages, TextWriter output)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        await using (BrokerUnderTest broker = await BrokerUnderTest.StartAsync(folder))
        {
            foreach (int partitions in new[] { 1, 4, 1000 })
                await ThroughputAsync(broker, partitions, messages, output);
            await OneAtATimeAsync(broker, output);
            await PacedAsync(broker, 1_000, output);
            await PacedAsync(broker, 10_000, output);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"broker rss_mb={broker.ResidentMb:F0}"));
        }

        Directory.Delete(folder, recursive: true);
    }

    public static async Task CreateTopicAsync(string bootstrap, string topic, int partitions)
    {
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]);
    }

    /// <summary>Puts some messages into every partition of a topic, with an idempotent producer.</summary>
    public static async Task FillAsync(string folder, string topic, int partitions, long messages)
    {
        await using BrokerUnderTest broker = await BrokerUnderTest.StartAsync(folder);
        Produce(broker.Bootstrap, topic, partitions, messages, Acks.All, idempotent: true);
    }

    private static async Task ThroughputAsync(BrokerUnderTest broker, int partitions, long messages, TextWriter output)
    {
        string topic = $"perf-{partitions}";
        await CreateTopicAsync(broker.Bootstrap, topic, partitions);
        Produce(broker.Bootstrap, topic, partitions, messages / 2, Acks.Leader); // warm
        Consume(broker.Bootstrap, topic, partitions, messages / 2);
        foreach (Acks acks in (ReadOnlySpan<Acks>)[Acks.Leader, Acks.All])
            Report(broker, $"produce-acks-{acks} partitions={partitions}", messages, () => Produce(broker.Bootstrap, topic, partitions, messages, acks), output);
        Report(broker, $"consume partitions={partitions}", messages * 2, () => Consume(broker.Bootstrap, topic, partitions, messages * 2), output);
    }

    private static void Report(BrokerUnderTest broker, string name, long messages, Action run, TextWriter output)
    {
        double cpu = broker.CpuSeconds;
        long began = Stopwatch.GetTimestamp();
        run();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        cpu = broker.CpuSeconds - cpu;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"broker {name} messages={messages} per_s={messages / seconds:F0} broker_cpu_us_per_message={cpu * 1e6 / messages:F3}"));
    }

    private static void Produce(string bootstrap, string topic, int partitions, long messages, Acks acks, bool idempotent = false)
    {
        using IProducer<Null, byte[]> producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            Acks = acks,
            EnableIdempotence = idempotent,
            EnableDeliveryReports = false,
            LingerMs = 5,
            QueueBufferingMaxMessages = 1_000_000,
            BatchNumMessages = 10_000,
        }).Build();
        var message = new Message<Null, byte[]> { Value = new byte[MessageBytes] };
        for (long i = 0; i < messages;)
        {
            try
            {
                // Long runs for one partition fill batches, as a sticky partitioner does.
                producer.Produce(new TopicPartition(topic, (int)(i / 100 % partitions)), message);
                i++;
            }
            catch (ProduceException<Null, byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                producer.Poll(TimeSpan.FromMilliseconds(1));
            }
        }

        producer.Flush(TimeSpan.FromMinutes(2));
    }

    private static void Consume(string bootstrap, string topic, int partitions, long messages)
    {
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "bench",
            EnableAutoCommit = false,
            QueuedMinMessages = 1_000_000,
            FetchMaxBytes = 50 << 20,
            ConsumeResultFields = "none",
        }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (long i = 0; i < messages;)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(30)) is null)
                throw new TimeoutException($"Nothing came for 30 seconds after {i} of {messages} messages.");
            i++;
        }
    }

    private static async Task OneAtATimeAsync(BrokerUnderTest broker, TextWriter output)
    {
        await CreateTopicAsync(broker.Bootstrap, "one", 1);
        using IProducer<Null, byte[]> producer = Latency(broker.Bootstrap);
        var message = new Message<Null, byte[]> { Value = new byte[MessageBytes] };
        var latencies = new List<double>();
        for (int i = 0; i < 3000; i++)
        {
            long began = Stopwatch.GetTimestamp();
            await producer.ProduceAsync("one", message);
            if (i >= 1000)
                latencies.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        Report("one-at-a-time", latencies, output);
    }

    private static async Task PacedAsync(BrokerUnderTest broker, int perSecond, TextWriter output)
    {
        string topic = $"paced-{perSecond}";
        await CreateTopicAsync(broker.Bootstrap, topic, 1);
        using IProducer<Null, byte[]> producer = Latency(broker.Bootstrap);
        var message = new Message<Null, byte[]> { Value = new byte[MessageBytes] };
        var latencies = new List<double>();
        var gate = new Lock();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        long began = Stopwatch.GetTimestamp();
        double cpu = broker.CpuSeconds;
        long sent = 0;
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(6) && await timer.WaitForNextTickAsync())
        {
            long due = (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond);
            for (; sent < due; sent++)
            {
                long at = Stopwatch.GetTimestamp();
                bool counts = Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(2);
                producer.Produce(topic, message, report =>
                {
                    if (report.Error.IsError)
                        throw new InvalidOperationException(report.Error.Reason);
                    lock (gate)
                    {
                        if (counts)
                            latencies.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
                    }
                });
            }
        }

        producer.Flush(TimeSpan.FromSeconds(30));
        Report($"paced-{perSecond} broker_cpu_us_per_message={(broker.CpuSeconds - cpu) * 1e6 / sent:F1}", latencies, output);
    }

    private static IProducer<Null, byte[]> Latency(string bootstrap) => new ProducerBuilder<Null, byte[]>(new ProducerConfig
    {
        BootstrapServers = bootstrap,
        Acks = Acks.All,
        LingerMs = 0,
        DeliveryReportFields = "none",
    }).Build();

    private static void Report(string name, List<double> latencies, TextWriter output)
    {
        latencies.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"broker {name} mean_ms={latencies.Average():F2} p50_ms={latencies[latencies.Count / 2]:F2} p99_ms={latencies[(int)(latencies.Count * 0.99)]:F2}"));
    }
}
