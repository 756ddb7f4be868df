using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>Frames as real clients send them, recorded from a socket, and answers worked out by hand from the protocol guide.</summary>
public sealed class ExactBytesTests
{
    // kcat 1.7.1 on librdkafka 2.0.2: header v2 (client id plain, then no tags), two compact strings, no tags.
    private const string KcatApiVersions3 = "0012" + "0003" + "00000001" + "0007" + "72646b61666b61" + "00" +
        "0b" + "6c696272646b61666b61" + "06" + "322e302e32" + "00";

    // kcat -L: all topics, as an empty list with topic creation off.
    private const string KcatMetadata4 = "0003" + "0004" + "00000002" + "0007" + "72646b61666b61" + "00000000" + "00";

    // kcat -L -t lines against a broker with Metadata up to 1.
    private const string KcatMetadata1 = "0003" + "0001" + "00000002" + "0007" + "72646b61666b61" + "00000001" + "0005" + "6c696e6573";

    // kafka-python 2.0.2.
    private const string KafkaPythonApiVersions0 = "0012" + "0000" + "00000001" + "0012" + "6b61666b612d707974686f6e2d322e302e32";
    private const string KafkaPythonMetadata0 = "0003" + "0000" + "00000002" + "0012" + "6b61666b612d707974686f6e2d322e302e32" + "00000000";

    [Fact]
    public void ApiVersions_v3_of_kcat_is_read_and_written_to_the_byte()
    {
        var header = Decode(KcatApiVersions3, out ApiVersionsRequest request);

        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, 3, 1, "rdkafka"), header);
        Assert.Equal(("librdkafka", "2.0.2"), (request.ClientSoftwareName, request.ClientSoftwareVersion));
        AssertFrame(KcatApiVersions3, MessageFrames.EncodeRequest(request, 3, 1, "rdkafka"));
    }

    [Fact]
    public void ApiVersions_v0_of_kafka_python_has_no_body()
    {
        var header = Decode(KafkaPythonApiVersions0, out ApiVersionsRequest request);

        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, 0, 1, "kafka-python-2.0.2"), header);
        AssertFrame(KafkaPythonApiVersions0, MessageFrames.EncodeRequest(request, 0, 1, "kafka-python-2.0.2"));
    }

    [Fact]
    public void Metadata_v4_of_kcat_is_read_and_written_to_the_byte()
    {
        var header = Decode(KcatMetadata4, out MetadataRequest request);

        Assert.Equal((ApiKey.Metadata, (short)4, 2), (header.ApiKey, header.ApiVersion, header.CorrelationId));
        Assert.Empty(request.Topics!);
        Assert.False(request.AllowAutoTopicCreation);
        AssertFrame(KcatMetadata4, MessageFrames.EncodeRequest(request, 4, 2, "rdkafka"));
    }

    [Fact]
    public void Metadata_v1_of_kcat_names_its_topic()
    {
        Decode(KcatMetadata1, out MetadataRequest request);

        Assert.Equal("lines", Assert.Single(request.Topics!).Name);
        AssertFrame(KcatMetadata1, MessageFrames.EncodeRequest(request, 1, 2, "rdkafka"));
    }

    [Fact]
    public void Metadata_v0_of_kafka_python_asks_for_all_with_an_empty_list()
    {
        Decode(KafkaPythonMetadata0, out MetadataRequest request);

        Assert.Empty(request.Topics!);
        AssertFrame(KafkaPythonMetadata0, MessageFrames.EncodeRequest(request, 0, 2, "kafka-python-2.0.2"));
    }

    [Fact]
    public void ApiVersions_response_has_header_version_0_in_flexible_versions_too()
    {
        var response = new ApiVersionsResponse
        {
            ApiKeys = [new() { ApiKey = ApiKey.Produce, MinVersion = 0, MaxVersion = 11 }, new() { ApiKey = ApiKey.ApiVersions, MaxVersion = 4 }],
        };

        // Correlation id with no tags behind it, error, two entries (count + 1) each with its own tags, throttle time, no tags.
        AssertFrame(
            "00000007" + "0000" + "03" + "0000" + "0000" + "000b" + "00" + "0012" + "0000" + "0004" + "00" + "00000000" + "00",
            MessageFrames.EncodeResponse(response, 3, 7));
    }

    [Fact]
    public void ApiVersions_response_writes_features_as_tagged_fields()
    {
        var response = new ApiVersionsResponse
        {
            FinalizedFeaturesEpoch = 5,
            FinalizedFeatures = [new() { Name = "f", MaxVersionLevel = 2, MinVersionLevel = 1 }],
        };

        // Tags 1 (eight bytes) and 2 (a list of one: name, max, min, no tags), each with its size.
        AssertFrame(
            "00000007" + "0000" + "01" + "00000000" + "02" + "01" + "08" + "0000000000000005" + "02" + "08" + "02" + "0266" + "0002" + "0001" + "00",
            MessageFrames.EncodeResponse(response, 3, 7));
    }

    [Fact]
    public void Produce_request_hands_out_records_as_a_slice_of_the_frame()
    {
        var frame = Convert.FromHexString(
            "0000" + "0007" + "00000003" + "0001" + "63" + "ffff" + "ffff" + "00001388" +
            "00000001" + "0001" + "74" + "00000001" + "00000002" + "00000004" + "cafebabe");
        MessageFrames.DecodeRequest(frame, out var body);
        var request = Assert.IsType<ProduceRequest>(body);

        Assert.Null(request.TransactionalId);
        Assert.Equal((-1, 5000), (request.Acks, request.TimeoutMs));
        var topic = Assert.Single(request.TopicData);
        var partition = Assert.Single(topic.PartitionData);
        Assert.Equal(("t", 2), (topic.Name, partition.Index));
        Assert.Equal("CAFEBABE", Convert.ToHexString(partition.Records!.Value.Span));
        frame[^1] = 0;
        Assert.Equal(0, partition.Records!.Value.Span[3]);
    }

    [Fact]
    public void Fetch_response_v12_has_compact_records_and_no_tags_for_what_was_not_set()
    {
        var response = new FetchResponse
        {
            Responses =
            [
                new()
                {
                    Topic = "t",
                    Partitions = [new() { PartitionIndex = 1, HighWatermark = 9, LastStableOffset = 9, LogStartOffset = 0, Records = new byte[] { 0xAB } }],
                },
            ],
        };

        AssertFrame(
            "00000001" + "00" +                         // correlation id, header tags
            "00000000" + "0000" + "00000000" + "02" +   // throttle, error, session, one topic
            "0274" + "02" + "00000001" + "0000" +       // name, one partition, index, error
            "0000000000000009" + "0000000000000009" + "0000000000000000" +
            "01" + "ffffffff" + "02ab" + "00" +         // no aborted transactions (empty), no preferred replica, records, partition tags
            "00" + "00",                                // topic tags, response tags
            MessageFrames.EncodeResponse(response, 12, 1));
    }

    private static RequestHeader Decode<T>(string hex, out T request)
    {
        var header = MessageFrames.DecodeRequest(Convert.FromHexString(hex), out var body);
        request = Assert.IsType<T>(body);
        return header;
    }

    private static void AssertFrame(string expectedHex, Frame frame)
    {
        using (frame)
        {
            var bytes = frame.ToArray();
            Assert.Equal((expectedHex.Length / 2).ToString("X8", null) + expectedHex.ToUpperInvariant(), Convert.ToHexString(bytes));
            Assert.Equal(bytes.Length, frame.Length);
        }
    }
}
