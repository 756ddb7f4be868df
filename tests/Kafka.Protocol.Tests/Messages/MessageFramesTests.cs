using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Messages;

public sealed class MessageFramesTests
{
    [Fact]
    public void Every_request_and_response_comes_back_from_its_frame_in_every_version()
    {
        foreach (var api in ApiMessages.All)
        {
            for (var version = api.Versions.Min; version <= api.Versions.Max; version++)
            {
                using var request = MessageFrames.EncodeRequest(api.NewRequest(), version, 42, "me");
                var header = MessageFrames.DecodeRequest(request.ToArray().AsMemory(4), out var body);
                Assert.Equal(new RequestHeader(api.Key, version, 42, "me"), header);
                Assert.Equal(api.NewRequest().GetType(), body!.GetType());

                using var response = MessageFrames.EncodeResponse(api.NewResponse(), version, 42);
                var reader = new ProtocolReader(response.ToArray().AsMemory(4));
                Assert.Equal(42, ResponseHeader.Read(ref reader, api.ResponseHeaderVersion(version)).CorrelationId);
                api.ReadResponse(ref reader, version);
                Assert.Equal(0, reader.Remaining);
            }
        }
    }

    [Fact]
    public void Response_is_typed_by_its_request()
    {
        var request = new HeartbeatRequest { GroupId = "g", GenerationId = 3, MemberId = "m" };
        using var frame = MessageFrames.EncodeResponse(new HeartbeatResponse { ErrorCode = ErrorCode.RebalanceInProgress }, 4, 9);

        HeartbeatResponse response = MessageFrames.DecodeResponse(request, 4, 9, frame.ToArray().AsMemory(4));

        Assert.Equal(ErrorCode.RebalanceInProgress, response.ErrorCode);
    }

    [Fact]
    public void Response_to_another_request_is_refused()
    {
        using var frame = MessageFrames.EncodeResponse(new HeartbeatResponse(), 4, 9);
        var bytes = frame.ToArray().AsMemory(4);

        Assert.Throws<ProtocolException>(() => MessageFrames.DecodeResponse(new HeartbeatRequest(), 4, 10, bytes));
    }

    [Fact]
    public void Unknown_api_key_leaves_key_version_and_correlation_id()
    {
        var header = MessageFrames.DecodeRequest(Convert.FromHexString("7FFF" + "0005" + "00000011" + "FFFFFF"), out var request);

        Assert.Null(request);
        Assert.Equal(new RequestHeader((ApiKey)0x7FFF, 5, 0x11, null), header);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(-1)]
    public void Version_we_do_not_have_leaves_the_header(short version)
    {
        using var writer = new ProtocolWriter();
        new RequestHeader(ApiKey.ApiVersions, version, 5, "c").Write(writer);

        var header = MessageFrames.DecodeRequest(writer.ToArray(), out var request);

        Assert.Null(request);
        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, version, 5, "c"), header);
    }

    [Fact]
    public void Tagged_fields_of_a_header_are_passed_over()
    {
        var frame = Convert.FromHexString("000C" + "0004" + "00000005" + "FFFF" + "01" + "09" + "02" + "AABB" + "0267" + "00000001" + "026D" + "00" + "00");

        var header = MessageFrames.DecodeRequest(frame, out var request);

        Assert.Equal(new RequestHeader(ApiKey.Heartbeat, 4, 5, null), header);
        Assert.Equal(("g", 1, "m"), request is HeartbeatRequest h ? (h.GroupId, h.GenerationId, h.MemberId) : default);
    }

    [Fact]
    public void Header_shorter_than_itself_is_refused()
    {
        var whole = Convert.FromHexString("0012000300000001000772646b61666b6100");
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole.AsMemory(0, length);
            Assert.Throws<ProtocolException>(() => MessageFrames.DecodeRequest(cut, out _));
        }
    }

    [Fact]
    public void Api_table_is_in_key_order_and_agrees_with_the_headers_of_the_protocol()
    {
        Assert.Equal(ApiMessages.All.Select(api => api.Key).Order(), ApiMessages.All.Select(api => api.Key));
        var apiVersions = ApiMessages.Get(ApiKey.ApiVersions);
        Assert.Equal((2, 0), (apiVersions.RequestHeaderVersion(3), apiVersions.ResponseHeaderVersion(3)));
        var metadata = ApiMessages.Get(ApiKey.Metadata);
        Assert.Equal((1, 0), (metadata.RequestHeaderVersion(8), metadata.ResponseHeaderVersion(8)));
        Assert.Equal((2, 1), (metadata.RequestHeaderVersion(9), metadata.ResponseHeaderVersion(9)));
        var handshake = ApiMessages.Get(ApiKey.SaslHandshake);
        Assert.Equal((1, 0), (handshake.RequestHeaderVersion(1), handshake.ResponseHeaderVersion(1)));
        Assert.Equal(ErrorCode.UnsupportedVersion, Assert.Throws<ProtocolException>(() => ApiMessages.Get(ApiKey.Vote)).ErrorCode);
    }

    [Fact]
    public void Subscription_of_a_newer_member_is_read_as_the_newest_known_version()
    {
        var known = ConsumerProtocolSubscription.Versions;
        var payload = VersionedPayload.Encode(new ConsumerProtocolSubscription { Topics = ["a", "b"], RackId = "r" }, known.Max);
        byte[] newer = [0, 99, .. payload[2..], 1, 2, 3];

        var subscription = VersionedPayload.Decode<ConsumerProtocolSubscription>(newer, known, out var version);

        Assert.Equal(99, version);
        Assert.Equal(["a", "b"], subscription.Topics);
        Assert.Equal("r", subscription.RackId);
    }

    [Fact]
    public void Payload_without_a_version_is_refused()
    {
        Assert.Throws<ProtocolException>(() =>
            VersionedPayload.Decode<ConsumerProtocolAssignment>(new byte[1], ConsumerProtocolAssignment.Versions, out _));
        Assert.Throws<ProtocolException>(() =>
            VersionedPayload.Decode<ConsumerProtocolAssignment>(new byte[] { 0xFF, 0xFF }, ConsumerProtocolAssignment.Versions, out _));
    }
}
