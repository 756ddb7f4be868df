using System.Runtime.InteropServices;

namespace Streams.Kafka.Tests.Support;

/// <summary>librdkafka's own mock broker on a loopback socket: an independent party that has transactions.</summary>
internal sealed class MockCluster : IDisposable
{
    private const int Producer = 0;
    private readonly nint _client;
    private readonly nint _cluster;

    public MockCluster()
    {
        var error = new byte[512];
        _client = NewClient(Producer, 0, error, error.Length);
        if (_client == 0) throw new InvalidOperationException("librdkafka made no client");
        _cluster = NewCluster(_client, 1);
    }

    public string BootstrapServers => Marshal.PtrToStringUTF8(Bootstraps(_cluster))!;

    public void CreateTopic(string name, int partitions)
    {
        if (CreateTopic(_cluster, name, partitions, 1) != 0) throw new InvalidOperationException($"no topic {name}");
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
}
