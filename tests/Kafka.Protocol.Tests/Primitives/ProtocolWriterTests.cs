using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Primitives;

public sealed class ProtocolWriterTests
{
    [Fact]
    public void Numbers_come_back_across_buffer_boundaries()
    {
        using var writer = new ProtocolWriter();
        for (var i = 0; i < 100_000; i++)
        {
            writer.WriteInt8((sbyte)i);
            writer.WriteInt64(i);
        }

        Assert.Equal(900_000, writer.Length);
        using var frame = writer.ToFrame();
        Assert.Equal(900_004, frame.Length);
        Assert.True(frame.Segments.Count > 1);
        var reader = new ProtocolReader(frame.ToArray());
        Assert.Equal(900_000, reader.ReadInt32());
        for (var i = 0; i < 100_000; i++)
        {
            Assert.Equal((sbyte)i, reader.ReadInt8());
            Assert.Equal(i, reader.ReadInt64());
        }
    }

    [Fact]
    public void Large_records_are_borrowed_and_small_ones_copied()
    {
        var large = new byte[ProtocolWriter.MinBorrowedBytes];
        var small = new byte[ProtocolWriter.MinBorrowedBytes - 100];
        using var writer = new ProtocolWriter();
        writer.WriteRecords(small, compact: false);
        writer.WriteRecords(large, compact: false);
        writer.WriteInt32(7);
        using var frame = writer.ToFrame();
        large[0] = 1;
        small[0] = 1;

        Assert.Equal(3, frame.Segments.Count);
        Assert.True(frame.Segments[1].Span == large.AsSpan());
        var reader = new ProtocolReader(frame.ToArray().AsMemory(4));
        Assert.Equal(0, reader.ReadRecords(compact: false)!.Value.Span[0]);
        Assert.Equal(1, reader.ReadRecords(compact: false)!.Value.Span[0]);
        Assert.Equal(7, reader.ReadInt32());
    }

    [Fact]
    public void Writing_a_fetch_response_allocates_nothing_per_byte_of_records()
    {
        var records = new byte[1 << 20];
        var response = new FetchResponse { Responses = [new() { Topic = "t", Partitions = [new() { Records = records }] }] };
        MessageFrames.EncodeResponse(response, 12, 1).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();

        MessageFrames.EncodeResponse(response, 12, 1).Dispose();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4000);
    }

    [Fact]
    public void Every_rented_buffer_goes_back_once()
    {
        var pool = new CountingPool();
        using (var writer = new ProtocolWriter(pool))
        {
            for (var round = 0; round < 3; round++)
            {
                writer.WriteRaw(new byte[200_000]);
                var field = writer.BeginTaggedField();
                field.WriteRaw(new byte[5000]);
                writer.EndTaggedField(3);
                if (round < 2)
                {
                    var frame = writer.ToFrame();
                    Assert.True(pool.Outstanding > 0);
                    frame.Dispose();
                    frame.Dispose();
                }
            }
        }

        Assert.Equal(0, pool.Outstanding);
        Assert.True(pool.Rented > 4);
    }

    [Fact]
    public void Writer_is_empty_and_usable_after_ToFrame()
    {
        using var writer = new ProtocolWriter();
        writer.WriteInt32(1);
        using var first = writer.ToFrame();
        Assert.Equal(0, writer.Length);
        writer.WriteInt16(2);
        using var second = writer.ToFrame();

        Assert.Equal("0000000400000001", Convert.ToHexString(first.ToArray()));
        Assert.Equal("000000020002", Convert.ToHexString(second.ToArray()));
    }

    [Fact]
    public void Empty_writer_makes_an_empty_frame()
    {
        using var writer = new ProtocolWriter();
        Assert.Empty(writer.ToArray());
        using var frame = writer.ToFrame();
        Assert.Equal("00000000", Convert.ToHexString(frame.ToArray()));
    }

    [Fact]
    public void Tagged_field_larger_than_a_buffer_has_its_size_before_it()
    {
        using var writer = new ProtocolWriter();
        var field = writer.BeginTaggedField();
        for (var i = 0; i < 30_000; i++)
            field.WriteInt32(i);
        writer.EndTaggedField(1);
        var reader = new ProtocolReader(writer.ToArray());

        Assert.Equal(1u, reader.EnterTaggedField(out var outerEnd));
        for (var i = 0; i < 30_000; i++)
            Assert.Equal(i, reader.ReadInt32());
        reader.LeaveTaggedField(outerEnd);
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void String_too_long_for_the_protocol_is_refused_with_the_name_of_its_field()
    {
        using var writer = new ProtocolWriter();
        var request = new HeartbeatRequest { GroupId = new string('g', ProtocolReader.MaxStringBytes + 1) };

        var error = Assert.Throws<ProtocolException>(() => request.Write(writer, 0));

        Assert.Contains("GroupId", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Longest_string_and_a_lone_surrogate_can_be_written()
    {
        using var writer = new ProtocolWriter();
        writer.WriteString(new string('x', ProtocolReader.MaxStringBytes), compact: false);
        writer.WriteString("a\uD800", compact: true);
        var reader = new ProtocolReader(writer.ToArray());

        Assert.Equal(ProtocolReader.MaxStringBytes, reader.ReadString(compact: false).Length);
        Assert.Equal("a\uFFFD", reader.ReadString(compact: true));
    }

    [Fact]
    public void Frame_of_more_than_two_gigabytes_is_refused()
    {
        var records = new byte[64 << 20];
        using var writer = new ProtocolWriter();
        for (var i = 0; i < 32; i++)
            writer.WriteRecords(records, compact: false);

        Assert.Throws<ProtocolException>(() => writer.ToFrame());
    }

    [Fact]
    public void Null_element_of_an_array_is_refused()
    {
        using var writer = new ProtocolWriter();
        var request = new MetadataRequest { Topics = [null!] };
        Assert.Throws<ProtocolException>(() => request.Write(writer, 1));
        var delete = new DeleteTopicsRequest { TopicNames = [null!] };
        Assert.Throws<ProtocolException>(() => delete.Write(writer, 1));
    }

    [Fact]
    public void Tagged_field_given_up_halfway_does_not_get_into_the_next()
    {
        using var writer = new ProtocolWriter();
        writer.BeginTaggedField().WriteInt32(1);
        writer.BeginTaggedField().WriteInt8(2);
        writer.EndTaggedField(5);

        Assert.Equal("050102", Convert.ToHexString(writer.ToArray()));
    }

    [Fact]
    public void EndTaggedField_without_a_beginning_is_misuse()
    {
        using var writer = new ProtocolWriter();
        Assert.Throws<InvalidOperationException>(() => writer.EndTaggedField(0));
    }

    private sealed class CountingPool : System.Buffers.ArrayPool<byte>
    {
        private readonly HashSet<byte[]> _out = [];

        public int Outstanding => _out.Count;

        public int Rented { get; private set; }

        public override byte[] Rent(int minimumLength)
        {
            var buffer = new byte[minimumLength];
            _out.Add(buffer);
            Rented++;
            return buffer;
        }

        public override void Return(byte[] array, bool clearArray = false) => Assert.True(_out.Remove(array), "returned twice");
    }
}
