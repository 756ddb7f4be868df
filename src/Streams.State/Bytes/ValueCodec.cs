using System.Buffers.Binary;

namespace Streams.State.Bytes;

/// <summary>How a store's values look as bytes, in the store and in its changelog, and whether they are kept typed in memory.</summary>
internal abstract class ValueCodec<T>
{
    /// <summary>Length of the timestamp before the value in the store: 8 or 0. The changelog carries it as the record's timestamp instead.</summary>
    public abstract int TimestampBytes { get; }

    /// <summary>Whether memory keeps values as they are, because nobody can change them.</summary>
    public abstract bool KeepsTyped { get; }

    /// <summary>Whether a put of it means a deletion.</summary>
    public abstract bool IsNull(T value);

    /// <summary>The value as the store has it.</summary>
    public abstract void Write(T value, SerdeBuffer output);

    public abstract T Read(ReadOnlySpan<byte> stored);

    /// <summary>The value as the changelog has it.</summary>
    public abstract T ReadLogged(ReadOnlySpan<byte> logged, long timestamp);

    /// <summary>Bytes that a typed value holds on the heap.</summary>
    public abstract int HeapBytes(T value);

    protected static int HeapBytesOf<V>(V value) => value is string text ? 24 + (2 * text.Length) : 0;
}

/// <summary>The serde's bytes alone.</summary>
internal sealed class PlainCodec<V>(ISerde<V> serde) : ValueCodec<V>
{
    private static readonly bool ValuesCanBeNull = default(V) is null;

    public override int TimestampBytes => 0;

    public override bool KeepsTyped { get; } = Serdes.IsImmutable<V>();

    public override bool IsNull(V value) => ValuesCanBeNull && value is null;

    public override void Write(V value, SerdeBuffer output) => serde.Serialize(value, output);

    public override V Read(ReadOnlySpan<byte> stored) => serde.Deserialize(stored);

    public override V ReadLogged(ReadOnlySpan<byte> logged, long timestamp) => serde.Deserialize(logged);

    public override int HeapBytes(V value) => typeof(V) == typeof(string) ? HeapBytesOf(value) : 0;
}

/// <summary>8 bytes of big-endian timestamp, then the serde's bytes. Source: KIP-258, Kafka's <c>ValueAndTimestampSerializer</c>.</summary>
internal sealed class TimestampedCodec<V>(ISerde<V> serde) : ValueCodec<ValueAndTimestamp<V>>
{
    private static readonly bool ValuesCanBeNull = default(V) is null;

    public override int TimestampBytes => sizeof(long);

    public override bool KeepsTyped { get; } = Serdes.IsImmutable<V>();

    public override bool IsNull(ValueAndTimestamp<V> value) => ValuesCanBeNull && value.Value is null;

    public override void Write(ValueAndTimestamp<V> value, SerdeBuffer output)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value.Timestamp);
        output.Advance(sizeof(long));
        serde.Serialize(value.Value, output);
    }

    public override ValueAndTimestamp<V> Read(ReadOnlySpan<byte> stored)
    {
        if (stored.Length < sizeof(long))
            throw new SerializationException($"A timestamped value begins with 8 bytes of timestamp; got {stored.Length} bytes. Was the store written without timestamps?");
        return new ValueAndTimestamp<V>(serde.Deserialize(stored[sizeof(long)..]), BinaryPrimitives.ReadInt64BigEndian(stored));
    }

    public override ValueAndTimestamp<V> ReadLogged(ReadOnlySpan<byte> logged, long timestamp) => new(serde.Deserialize(logged), timestamp);

    public override int HeapBytes(ValueAndTimestamp<V> value) => typeof(V) == typeof(string) ? HeapBytesOf(value.Value) : 0;
}
