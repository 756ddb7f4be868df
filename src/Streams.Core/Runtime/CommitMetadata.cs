using System.Buffers.Binary;
using System.Text;

namespace Streams.Core;

/// <summary>
/// What a commit keeps beside the offset, in Kafka Streams' own form: the partition's time, and values that processors want back after a restart.
/// </summary>
/// <remarks>Base64 of: version 2 (1 byte), partition time (8 bytes), then per processor value: count, and for each key length, key, 8-byte value. Source: Kafka's <c>TopicPartitionMetadata</c>, <c>ProcessorMetadata</c>.</remarks>
internal static class CommitMetadata
{
    private const byte Version = 2;
    private const int HeaderSize = 1 + sizeof(long);

    public static string Encode(long partitionTime, IReadOnlyDictionary<string, long> processorValues)
    {
        var size = HeaderSize;
        if (processorValues.Count > 0)
        {
            size += sizeof(int);
            foreach (var key in processorValues.Keys) size += sizeof(int) + Encoding.UTF8.GetByteCount(key) + sizeof(long);
        }

        var bytes = new byte[size];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), partitionTime);
        if (processorValues.Count > 0)
        {
            var rest = bytes.AsSpan(HeaderSize);
            BinaryPrimitives.WriteInt32BigEndian(rest, processorValues.Count);
            rest = rest[sizeof(int)..];
            foreach (var (key, value) in processorValues)
            {
                var length = Encoding.UTF8.GetBytes(key, rest[sizeof(int)..]);
                BinaryPrimitives.WriteInt32BigEndian(rest, length);
                BinaryPrimitives.WriteInt64BigEndian(rest[(sizeof(int) + length)..], value);
                rest = rest[(sizeof(int) + length + sizeof(long))..];
            }
        }

        return Convert.ToBase64String(bytes);
    }

    /// <summary>Reads what a commit kept; false for text that is not ours, which is then ignored (other tools may commit offsets too).</summary>
    public static bool TryDecode(string metadata, out long partitionTime, out IReadOnlyDictionary<string, long> processorValues)
    {
        partitionTime = -1;
        var values = new Dictionary<string, long>();
        processorValues = values;
        if (metadata.Length is 0 or > 4096) return false;
        Span<byte> buffer = stackalloc byte[4096];
        if (!Convert.TryFromBase64String(metadata, buffer, out var length) || length < HeaderSize || buffer[0] is not (1 or Version)) return false;
        partitionTime = BinaryPrimitives.ReadInt64BigEndian(buffer[1..]);
        ReadOnlySpan<byte> rest = buffer[HeaderSize..length];
        if (buffer[0] == 1 || rest.Length < sizeof(int)) return true;

        var count = BinaryPrimitives.ReadInt32BigEndian(rest);
        rest = rest[sizeof(int)..];
        for (var index = 0; index < count; index++)
        {
            if (rest.Length < sizeof(int)) return false;
            var keyLength = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (keyLength < 0 || keyLength > rest.Length - sizeof(int) - sizeof(long)) return false;
            values[Encoding.UTF8.GetString(rest.Slice(sizeof(int), keyLength))] = BinaryPrimitives.ReadInt64BigEndian(rest[(sizeof(int) + keyLength)..]);
            rest = rest[(sizeof(int) + keyLength + sizeof(long))..];
        }

        return true;
    }
}
