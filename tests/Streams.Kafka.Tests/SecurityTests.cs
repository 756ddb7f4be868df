using System.Buffers.Binary;
using Broker.Lite;
using Broker.Lite.Tests.Security;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests;

/// <summary>TLS and SASL from a cluster's settings, with either library's clients. What brokers refuse, and tokens, are elsewhere.</summary>
public sealed class SecurityTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly TestCertificates _authority = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("streams-tls").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Library.Confluent)]
    [InlineData(Library.Managed)]
    public async Task Password_is_shown_under_tls(string library)
    {
        await using var broker = await StartAsync("SASL_SSL", new()
        {
            ["sasl.enabled.mechanisms"] = "PLAIN",
            ["sasl.jaas.config"] = "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"secret\";",
        });
        var settings = new Dictionary<string, string> { ["security.protocol"] = "sasl_ssl", ["sasl.mechanism"] = "PLAIN", ["sasl.username"] = "alice", ["sasl.password"] = "secret" };
        await RoundTripAsync(library, broker, settings);
    }

    [Theory]
    [InlineData(Library.Confluent)]
    [InlineData(Library.Managed)]
    public async Task Certificate_is_shown_to_a_broker_that_wants_one(string library)
    {
        await using var broker = await StartAsync("SSL", new() { ["ssl.client.auth"] = "required", ["ssl.truststore.certificates"] = _authority.AuthorityPem });
        var identity = WriteFile("client.pem", _authority.Issue("CN=alice", forClient: true));
        await RoundTripAsync(library, broker, new() { ["security.protocol"] = "ssl", ["ssl.certificate.location"] = identity, ["ssl.key.location"] = identity });
    }

    private Task<BrokerServer> StartAsync(string protocol, Dictionary<string, string> settings)
    {
        var identity = _authority.Issue("CN=localhost");
        settings["listeners"] = protocol + "://127.0.0.1:0";
        settings["ssl.keystore.type"] = "PEM";
        settings["ssl.keystore.certificate.chain"] = identity;
        settings["ssl.keystore.key"] = identity;
        return BrokerServer.StartAsync(new BrokerOptions { Settings = settings }, Token);
    }

    // Enough for requests and answers of many TLS records, in several batches.
    private async Task RoundTripAsync(string library, BrokerServer broker, Dictionary<string, string> settings)
    {
        const int Records = 5_000;
        settings["client.library"] = library;
        settings["ssl.ca.location"] = WriteFile("authority.pem", _authority.AuthorityPem);
        await using var cluster = new KafkaCluster($"127.0.0.1:{broker.EndPoint!.Port}", settings);
        using (var admin = cluster.CreateAdmin("test")) await admin.CreateTopicsAsync([new NewTopic("t", 1, 1, new Dictionary<string, string>())], Token);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        Send(producer, Records);
        producer.Flush(Token);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        consumer.Assign([new TopicPartitionOffset(new TopicPartition("t", 0), 0)]);
        var start = TimeProvider.System.GetTimestamp();
        for (var next = 0; next < Records;)
        {
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(100));
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, $"{next} records came");
            for (var index = 0; index < (batch?.Count ?? 0); index++) Assert.Equal(next++, BinaryPrimitives.ReadInt32BigEndian(batch!.Value(index)));
        }
    }

    private static void Send(IRecordProducer producer, int count)
    {
        var topic = producer.GetTopic("t");
        Span<byte> value = stackalloc byte[500];
        value.Clear();
        for (var number = 0; number < count; number++)
        {
            BinaryPrimitives.WriteInt32BigEndian(value, number);
            producer.Send(topic, 0, new OutgoingRecord("k"u8, true, value, true, 1, null));
        }
    }

    private string WriteFile(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
