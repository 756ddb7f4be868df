using System.Buffers.Binary;
using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>Whatever the bytes: a message, or <see cref="ProtocolException"/>, and never much memory.</summary>
public sealed class HostileBytesTests
{
    // The smallest elements have two bytes on the wire and about a hundred as objects; the rest is room for the exception.
    private const int AllocatedPerByteMax = 200;
    private const int AllocatedBaseMax = 64 * 1024;

    public static IEnumerable<TheoryDataRow<string>> Messages => MessageRoundTripTests.Messages;

    [Theory]
    [MemberData(nameof(Messages))]
    public void Truncated_message_is_refused_at_every_length(string name)
    {
        var schema = Schema.All[name];
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            var bytes = Sample(schema, version, 100, 1500);
            for (var length = 0; length < bytes.Length; length++)
                Assert.True(Try(name, version, bytes.AsMemory(0, length)) is not null, $"{name} v{version} was read from {length} of {bytes.Length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Random_bytes_are_refused_or_read_without_much_memory(string name)
    {
        var schema = Schema.All[name];
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            var random = new Random(MessageRoundTripTests.HashCode(name, version, -2));
            for (var i = 0; i < 40; i++)
            {
                var bytes = new byte[random.Next(600)];
                random.NextBytes(bytes);

                // Half of them with mostly small bytes, which get further: they make plausible lengths and counts.
                if (i % 2 == 0)
                {
                    for (var b = 0; b < bytes.Length; b++)
                        bytes[b] = (byte)(random.Next(3) == 0 ? bytes[b] % 8 : 0);
                }

                Try(name, version, bytes);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Huge_and_negative_lengths_anywhere_are_refused_or_read_without_much_memory(string name)
    {
        var schema = Schema.All[name];
        ReadOnlySpan<uint> numbers = [0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0x7F000000, 0xFFFFFF0F, 0x00FFFFFF];
        Span<byte> number = stackalloc byte[4];
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            var valid = Sample(schema, version, 60, 700);
            for (var at = 0; at < valid.Length; at++)
            {
                var bytes = valid.ToArray();
                BinaryPrimitives.WriteUInt32BigEndian(number, numbers[at % numbers.Length]);
                number[..Math.Min(4, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
                Try(name, version, bytes);
            }
        }
    }

    [Fact]
    public void Array_that_claims_two_billion_elements_allocates_nothing_for_them()
    {
        var bytes = new byte[4 + 100];
        BinaryPrimitives.WriteInt32BigEndian(bytes, int.MaxValue);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProtocolException>(() => ReadMetadata(bytes, ProtocolReader.DefaultMaxElements));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 * 1024);
    }

    [Fact]
    public void Elements_of_a_frame_are_limited_over_all_its_arrays()
    {
        using var writer = new ProtocolWriter();
        var request = new MetadataRequest { Topics = [.. Enumerable.Range(0, 10).Select(_ => new MetadataRequest.MetadataRequestTopic())] };
        request.Write(writer, 1);
        var bytes = writer.ToArray();

        Assert.Equal(10, ReadMetadata(bytes, 10).Topics!.Count);
        Assert.Throws<ProtocolException>(() => ReadMetadata(bytes, 9));

        var delete = new DeleteTopicsRequest { TopicNames = ["a", "b", "c"] };
        writer.Reset();
        delete.Write(writer, 1);
        var names = writer.ToArray();
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new ProtocolReader(names, maxElements: 2);
            new DeleteTopicsRequest().Read(ref reader, 1);
        });
    }

    private static MetadataRequest ReadMetadata(byte[] bytes, int maxElements)
    {
        var reader = new ProtocolReader(bytes, maxElements);
        return reader.ReadStruct<MetadataRequest>(1);
    }

    // Null when the bytes could be read.
    private static ProtocolException? Try(string name, short version, ReadOnlyMemory<byte> bytes)
    {
        var message = MessageObject.New(name);
        ProtocolException? refused = null;
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var reader = new ProtocolReader(bytes);
            message.Read(ref reader, version);
        }
        catch (ProtocolException error)
        {
            refused = error;
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var allowed = AllocatedBaseMax + ((long)AllocatedPerByteMax * bytes.Length);
        Assert.True(allocated <= allowed, $"{name} v{version}: {allocated} bytes allocated for {bytes.Length}: {Convert.ToHexString(bytes.Span)}");
        return refused;
    }

    // A random message of a handy size: neither empty nor so long that the test takes minutes.
    private static byte[] Sample(SchemaMessage schema, short version, int min, int max)
    {
        byte[]? best = null;
        for (var attempt = 0; attempt < 40; attempt++)
        {
            var random = new Random(MessageRoundTripTests.HashCode(schema.Name, version, 1000 + attempt));
            var bytes = SchemaValue.Encode(schema, SchemaValue.RandomStruct(schema.Fields, version, random), version);
            if (bytes.Length >= min && bytes.Length <= max)
                return bytes;
            if (best is null || Distance(bytes) < Distance(best))
                best = bytes;
        }

        return best!;

        int Distance(byte[] bytes) => bytes.Length < min ? min - bytes.Length : bytes.Length - max;
    }
}
