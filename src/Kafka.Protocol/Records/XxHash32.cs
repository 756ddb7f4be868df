using System.Buffers.Binary;
using System.Numerics;

namespace Kafka.Protocol.Records;

/// <summary>The 32-bit xxHash, the checksum of LZ4 frames.</summary>
internal static class XxHash32
{
    private const uint Prime1 = 2654435761;
    private const uint Prime2 = 2246822519;
    private const uint Prime3 = 3266489917;
    private const uint Prime4 = 668265263;
    private const uint Prime5 = 374761393;

    public static uint Compute(ReadOnlySpan<byte> data)
    {
        uint length = (uint)data.Length;
        uint hash = data.Length >= 16 ? MixStripes(ref data) : Prime5;
        hash += length;
        while (data.Length >= 4)
        {
            hash += BinaryPrimitives.ReadUInt32LittleEndian(data) * Prime3;
            hash = BitOperations.RotateLeft(hash, 17) * Prime4;
            data = data[4..];
        }

        foreach (byte b in data)
        {
            hash += b * Prime5;
            hash = BitOperations.RotateLeft(hash, 11) * Prime1;
        }

        hash ^= hash >> 15;
        hash *= Prime2;
        hash ^= hash >> 13;
        hash *= Prime3;
        return hash ^ (hash >> 16);
    }

    private static uint MixStripes(ref ReadOnlySpan<byte> data)
    {
        uint a = unchecked(Prime1 + Prime2);
        uint b = Prime2;
        uint c = 0;
        uint d = unchecked(0 - Prime1);
        while (data.Length >= 16)
        {
            a = Round(a, BinaryPrimitives.ReadUInt32LittleEndian(data));
            b = Round(b, BinaryPrimitives.ReadUInt32LittleEndian(data[4..]));
            c = Round(c, BinaryPrimitives.ReadUInt32LittleEndian(data[8..]));
            d = Round(d, BinaryPrimitives.ReadUInt32LittleEndian(data[12..]));
            data = data[16..];
        }

        return BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
    }

    private static uint Round(uint lane, uint input) => BitOperations.RotateLeft(lane + (input * Prime2), 13) * Prime1;
}
