using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Core;

/// <summary>Serdes of windowed keys, as Kafka Streams writes them to topics. Source: Kafka's <c>WindowedSerdes</c>, KIP-659.</summary>
public static class WindowedSerdes
{
    /// <summary>
    /// Keys in time or sliding windows: the inner key, then 8 bytes with the window's start. The end is not written, so the size must be known.
    /// </summary>
    /// <param name="inner">Serde of the inner key.</param>
    /// <param name="windowSizeMs">Size in milliseconds, at least 0; <see cref="long.MaxValue"/> for windows without end.</param>
    public static ISerde<Windowed<K>> TimeWindowed<K>(ISerde<K> inner, long windowSizeMs)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentOutOfRangeException.ThrowIfNegative(windowSizeMs);
        return new TimeWindowedSerde<K>(inner, windowSizeMs);
    }

    /// <summary>Keys in sessions: the inner key, then 8 bytes with the session's end and 8 with its start.</summary>
    public static ISerde<Windowed<K>> SessionWindowed<K>(ISerde<K> inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return new SessionWindowedSerde<K>(inner);
    }

    private static void WriteTime(long value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    private static void CheckLength(ReadOnlySpan<byte> data, int suffix)
    {
        if (data.Length < suffix)
            throw new SerializationException($"A windowed key has {data.Length} bytes, but its window alone takes {suffix}. Was it written with another serializer?");
    }

    private sealed class TimeWindowedSerde<K>(ISerde<K> inner, long windowSizeMs) : ISerde<Windowed<K>>, IPartitionKeySerializer
    {
        public void Serialize(Windowed<K> value, IBufferWriter<byte> output)
        {
            inner.Serialize(value.Key, output);
            WriteTime(value.Window.StartMs, output);
        }

        public Windowed<K> Deserialize(ReadOnlySpan<byte> data)
        {
            CheckLength(data, sizeof(long));
            var start = BinaryPrimitives.ReadInt64BigEndian(data[^sizeof(long)..]);
            var end = start > long.MaxValue - windowSizeMs ? long.MaxValue : start + windowSizeMs;
            return new Windowed<K>(inner.Deserialize(data[..^sizeof(long)]), new Window(start, end));
        }

        public ReadOnlySpan<byte> PartitionKey(ReadOnlySpan<byte> serializedKey) => serializedKey[..^sizeof(long)];
    }

    private sealed class SessionWindowedSerde<K>(ISerde<K> inner) : ISerde<Windowed<K>>, IPartitionKeySerializer
    {
        private const int SuffixBytes = 2 * sizeof(long);

        public void Serialize(Windowed<K> value, IBufferWriter<byte> output)
        {
            inner.Serialize(value.Key, output);
            WriteTime(value.Window.EndMs, output);
            WriteTime(value.Window.StartMs, output);
        }

        public Windowed<K> Deserialize(ReadOnlySpan<byte> data)
        {
            CheckLength(data, SuffixBytes);
            var end = BinaryPrimitives.ReadInt64BigEndian(data[^SuffixBytes..]);
            var start = BinaryPrimitives.ReadInt64BigEndian(data[^sizeof(long)..]);
            return new Windowed<K>(inner.Deserialize(data[..^SuffixBytes]), new Window(start, end));
        }

        public ReadOnlySpan<byte> PartitionKey(ReadOnlySpan<byte> serializedKey) => serializedKey[..^SuffixBytes];
    }
}
