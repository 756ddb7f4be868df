using System.Buffers.Binary;
using System.Numerics;

namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>128 bits of a value's bytes, equal on both sides of a foreign-key join if the row has not changed in between.</summary>
/// <param name="High">First half.</param>
/// <param name="Low">Second half.</param>
internal readonly record struct ValueHash(ulong High, ulong Low);

/// <summary>Murmur 3 for 64-bit machines, 128 bits, with Kafka Streams' seed. Source: Kafka's <c>Murmur3.hash128</c>; recorded hashes are in the conformance cases.</summary>
internal static class Murmur3
{
    private const ulong Seed = 104729;
    private const ulong First = 0x87c37b91114253d5;
    private const ulong Second = 0x4cf5ad432745937f;
    private const int BlockBytes = 16;

    public static ValueHash Hash(ReadOnlySpan<byte> data)
    {
        unchecked
        {
            var (high, low) = (Seed, Seed);
            var length = (ulong)data.Length;
            while (data.Length >= BlockBytes)
            {
                high ^= MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(data));
                high = ((BitOperations.RotateLeft(high, 27) + low) * 5) + 0x52dce729;
                low ^= MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(data[sizeof(ulong)..]));
                low = ((BitOperations.RotateLeft(low, 31) + high) * 5) + 0x38495ab5;
                data = data[BlockBytes..];
            }

            if (data.Length > sizeof(ulong)) low ^= MixSecond(ReadRest(data[sizeof(ulong)..]));
            if (data.Length > 0) high ^= MixFirst(ReadRest(data[..Math.Min(data.Length, sizeof(ulong))]));

            high ^= length;
            low ^= length;
            high += low;
            low += high;
            high = Finish(high);
            low = Finish(low);
            high += low;
            low += high;
            return new ValueHash(high, low);
        }
    }

    private static ulong ReadRest(ReadOnlySpan<byte> bytes)
    {
        var word = 0UL;
        for (var index = bytes.Length - 1; index >= 0; index--) word = (word << 8) | bytes[index];
        return word;
    }

    private static ulong MixFirst(ulong word) => unchecked(BitOperations.RotateLeft(word * First, 31) * Second);

    private static ulong MixSecond(ulong word) => unchecked(BitOperations.RotateLeft(word * Second, 33) * First);

    private static ulong Finish(ulong word)
    {
        unchecked
        {
            word = (word ^ (word >> 33)) * 0xff51afd7ed558ccd;
            word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53;
            return word ^ (word >> 33);
        }
    }
}
