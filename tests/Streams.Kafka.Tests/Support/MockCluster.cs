using System.Runtime.InteropServices;
using Kafka.Protocol;

namespace Streams.Kafka.Tests.Support;

/// <summary>librdkafka's own mock broker on a loopback socket: an independent party that has transactions.</summary>
internal sealed class MockCluster : IDisposable
{
    /// <summary>For <see cref="PushErrors(ApiKey, int[])"/>: librdkafka's own code for a connection that broke.</summary>
    public const int Disconnect = -195;

    private const int Producer = 0;
    private readonly nint _client;
    private readonly nint _cluster;

    /// <param name="brokers">How many brokers, with ids from 1 on.</param>
    public MockCluster(int brokers = 1)
    {
        var error = new byte[512];
        _client = NewClient(Producer, 0, error, error.Length);
        if (_client == 0) throw new InvalidOperationException("librdkafka made no client");
        _cluster = NewCluster(_client, brokers);
    }

    public string BootstrapServers => Marshal.PtrToStringUTF8(Bootstraps(_cluster))!;

    public void CreateTopic(string name, int partitions)
    {
        if (CreateTopic(_cluster, name, partitions, 1) != 0) throw new InvalidOperationException($"no topic {name}");
    }

    /// <summary>Makes another broker the leader; the one before says so when it is asked.</summary>
    public void SetLeader(string topic, int partition, int broker)
    {
        if (SetLeader(_cluster, topic, partition, broker) != 0) throw new InvalidOperationException($"no partition {topic}-{partition} or broker {broker}");
    }

    /// <summary>The next requests of this kind, whoever makes them, are answered with these errors, in their order, and do nothing; <see cref="Disconnect"/> closes the connection.</summary>
    public void PushErrors(ApiKey api, params int[] errors) => PushErrors(_cluster, (short)api, errors.Length, errors);

    /// <summary>Closes a broker's connections and takes no new ones, or takes them again.</summary>
    public void SetIsUp(int broker, bool isUp)
    {
        if ((isUp ? SetUp(_cluster, broker) : SetDown(_cluster, broker)) != 0) throw new InvalidOperationException($"no broker {broker}");
    }

    public void Dispose()
    {
        DestroyCluster(_cluster);
        DestroyClient(_client);
    }

    [DllImport("librdkafka", EntryPoint = "rd_kafka_new")]
    private static extern nint NewClient(int type, nint configuration, byte[] error, nint size);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_destroy")]
    private static extern void DestroyClient(nint client);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_new")]
    private static extern nint NewCluster(nint client, int brokers);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static extern void DestroyCluster(nint cluster);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static extern nint Bootstraps(nint cluster);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_topic_create")]
    private static extern int CreateTopic(nint cluster, [MarshalAs(UnmanagedType.LPUTF8Str)] string topic, int partitions, int replicas);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_partition_set_leader")]
    private static extern int SetLeader(nint cluster, [MarshalAs(UnmanagedType.LPUTF8Str)] string topic, int partition, int broker);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static extern void PushErrors(nint cluster, short api, nint count, int[] errors);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static extern int SetDown(nint cluster, int broker);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static extern int SetUp(nint cluster, int broker);
}
