using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Streams.Dsl.Deduplication;

/// <summary>Where a record that passed had been read.</summary>
/// <param name="Offset">Its offset; -1 when it came out of a punctuator.</param>
/// <param name="Topic">Its topic; empty when it came out of a punctuator.</param>
internal readonly record struct PassedRecord(long Offset, string Topic);

/// <summary>Offset (8 bytes, big-endian), then the topic's name.</summary>
internal sealed class PassedRecordSerde : ISerde<PassedRecord>
{
    private const int MaxTopicBytes = 1024;

    public void Serialize(PassedRecord value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value.Offset);
        output.Advance(sizeof(long));
        Encoding.UTF8.GetBytes(value.Topic, output);
    }

    public PassedRecord Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.Length is < sizeof(long) or > sizeof(long) + MaxTopicBytes)
            throw new SerializationException($"What is stored of a record that passed is malformed: it has {data.Length} bytes.");
        return new PassedRecord(BinaryPrimitives.ReadInt64BigEndian(data), Encoding.UTF8.GetString(data[sizeof(long)..]));
    }
}
