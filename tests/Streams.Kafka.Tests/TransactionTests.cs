using System.Runtime.InteropServices;
using Streams.Core;
using Streams.Kafka.Librdkafka;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests;

public sealed class TransactionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("instance-1")]
    public void Membership_is_serialized_as_librdkafka_does_it(string? instance)
    {
        var metadata = NewMetadata("the group", 0x01020304, "member ü", instance);
        Assert.Equal(0, WriteMetadata(metadata, out var buffer, out var length));
        var expected = new byte[length];
        Marshal.Copy(buffer, expected, 0, (int)length);
        FreeBuffer(0, buffer);
        DestroyMetadata(metadata);
        Assert.Equal(expected, TransactionOffsets.Serialize(new GroupMembership("the group", 0x01020304, "member ü", instance)));
    }

    [Theory]
    [InlineData(Library.Confluent)]
    [InlineData(Library.Managed)]
    public async Task Transaction_carries_records_and_offsets(string library)
    {
        using var mock = new MockCluster();
        mock.CreateTopic("out", 1);
        mock.CreateTopic("in", 1);
        await using var cluster = new KafkaCluster(mock.BootstrapServers, Library.Settings(library));
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", TransactionalId = "tx" });
        producer.InitTransactions(Token);
        var topic = producer.GetTopic("out");
        for (var round = 0; round < 3; round++)
        {
            producer.BeginTransaction();
            for (var number = 0; number < 10; number++) producer.Send(topic, 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));
            producer.SendOffsetsToTransaction([new OffsetCommit(new TopicPartition("in", 0), 10 + round, "text ü")], GroupMembership.None("group"), Token);
            if (round == 2) producer.AbortTransaction(Token);
            else producer.CommitTransaction(Token);
        }

        // The mock broker knows neither markers nor aborts on its log, but acknowledges as a broker does.
        Assert.True(producer.AcknowledgedOffset(topic, 0) >= 20);
    }

    [DllImport("librdkafka", EntryPoint = "rd_kafka_consumer_group_metadata_new_with_genid")]
    private static extern nint NewMetadata(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string group, int generation, [MarshalAs(UnmanagedType.LPUTF8Str)] string member, [MarshalAs(UnmanagedType.LPUTF8Str)] string? instance);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_consumer_group_metadata_write")]
    private static extern nint WriteMetadata(nint metadata, out nint buffer, out nint length);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_mem_free")]
    private static extern void FreeBuffer(nint client, nint buffer);

    [DllImport("librdkafka", EntryPoint = "rd_kafka_consumer_group_metadata_destroy")]
    private static extern void DestroyMetadata(nint metadata);
}
