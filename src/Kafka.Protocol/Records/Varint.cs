using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kafka.Protocol.Records;

/// <summary>Zigzag varints inside records: 7 bits per byte, least significant first, at most 5 bytes for 32 bits and 10 for 64.</summary>
internal static class Varint
{
    public const int MaxInt32Bytes = 5;
    public const int MaxInt64Bytes = 10;

    /// <summary>Reads a 32-bit value at <paramref name="position"/> and moves past it; false when it is cut off or longer than 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadInt32(ReadOnlySpan<byte> data, ref int position, out int value)
    {
        if ((uint)position < (uint)data.Length && data[position] < 0x80)
        {
            uint raw = data[position++];
            value = (int)(raw >> 1) ^ -(int)(raw & 1);
            return true;
        }

        return TryReadLongInt32(data, ref position, out value);
    }

    /// <summary>Reads a 64-bit value at <paramref name="position"/> and moves past it; false when it is cut off or longer than 64 bits.</summary>
    public static bool TryReadInt64(ReadOnlySpan<byte> data, ref int position, out long value)
    {
        ulong raw = 0;
        for (int shift = 0; shift < 70 && (uint)position < (uint)data.Length; shift += 7)
        {
            byte b = data[position++];
            if (shift == 63 && b > 1)
                break;
            raw |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                value = (long)(raw >> 1) ^ -(long)(raw & 1);
                return true;
            }
        }

        value = 0;
        return false;
    }

    public static int SizeOf(int value) => SizeOfRaw((uint)((value << 1) ^ (value >> 31)));

    public static int SizeOf(long value) => SizeOfRaw((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Writes <paramref name="value"/> at <paramref name="position"/>; the caller has made sure that there is room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Span<byte> destination, ref int position, int value) =>
        WriteRaw(destination, ref position, (uint)((value << 1) ^ (value >> 31)));

    /// <inheritdoc cref="Write(Span{byte}, ref int, int)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Span<byte> destination, ref int position, long value) =>
        WriteRaw(destination, ref position, (ulong)((value << 1) ^ (value >> 63)));

    private static bool TryReadLongInt32(ReadOnlySpan<byte> data, ref int position, out int value)
    {
        uint raw = 0;
        for (int shift = 0; shift < 35 && (uint)position < (uint)data.Length; shift += 7)
        {
            byte b = data[position++];
            if (shift == 28 && b > 0x0F)
                break;
            raw |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                value = (int)(raw >> 1) ^ -(int)(raw & 1);
                return true;
            }
        }

        value = 0;
        return false;
    }

    private static int SizeOfRaw(ulong raw) => raw == 0 ? 1 : (BitOperations.Log2(raw) / 7) + 1;

    private static void WriteRaw(Span<byte> destination, ref int position, ulong raw)
    {
        while (raw >= 0x80)
        {
            destination[position++] = (byte)(raw | 0x80);
            raw >>= 7;
        }

        destination[position++] = (byte)raw;
    }
}
