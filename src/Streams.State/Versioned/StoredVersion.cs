using System.Buffers;
using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Versioned;

/// <summary>One version of a key as it is stored.</summary>
/// <param name="From">Unix milliseconds from which it holds.</param>
/// <param name="To">Unix milliseconds until which it holds, exclusive; <see cref="Latest"/> while no later one is known.</param>
/// <param name="HasValue">False for the knowledge that there is none.</param>
/// <param name="Value">The serialised value.</param>
internal readonly record struct StoredVersion(long From, long To, bool HasValue, ReadOnlyMemory<byte> Value)
{
    public const long Latest = long.MaxValue;
}

/// <summary>A version as bytes: 8 bytes from and 8 bytes to, big-endian, 1 byte that is 1 when there is a value, the value.</summary>
internal sealed class StoredVersionCodec : ValueCodec<StoredVersion>
{
    private const int PrefixBytes = (2 * sizeof(long)) + 1;

    // Kept as bytes: a version is a memory over somebody's buffer.
    public override bool KeepsTyped => false;

    public override int TimestampBytes => 0;

    public override bool IsNull(StoredVersion value) => false;

    public override void Write(StoredVersion value, SerdeBuffer output)
    {
        var prefix = output.GetSpan(PrefixBytes);
        BinaryPrimitives.WriteInt64BigEndian(prefix, value.From);
        BinaryPrimitives.WriteInt64BigEndian(prefix[sizeof(long)..], value.To);
        prefix[PrefixBytes - 1] = value.HasValue ? (byte)1 : (byte)0;
        output.Advance(PrefixBytes);
        output.Write(value.Value.Span);
    }

    public override StoredVersion Read(ReadOnlySpan<byte> stored)
    {
        if (stored.Length < PrefixBytes || stored[PrefixBytes - 1] > 1) throw new SerializationException($"A version of a key begins with {PrefixBytes} bytes; got {stored.Length} that do not fit.");
        return new StoredVersion(
            BinaryPrimitives.ReadInt64BigEndian(stored),
            BinaryPrimitives.ReadInt64BigEndian(stored[sizeof(long)..]),
            stored[PrefixBytes - 1] == 1,
            stored[PrefixBytes..].ToArray());
    }

    public override StoredVersion ReadLogged(ReadOnlySpan<byte> logged, long timestamp) => throw new NotSupportedException("The changelog of a versioned store has values, not versions.");

    public override int HeapBytes(StoredVersion value) => 0;
}
