using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State.Bytes;

/// <summary>Hash of a key's bytes for tables in memory: two wide multiplications for keys up to 16 bytes, seeded per process against chosen keys.</summary>
internal static class KeyHash
{
    private const ulong Mix1 = 0x9E3779B97F4A7C15;
    private const ulong Mix2 = 0xD6E8FEB86659FD93;

    // Only the spread depends on it, never the content or order of anything.
    private static readonly ulong Seed = ((ulong)(uint)string.GetHashCode("a") << 32) | (uint)string.GetHashCode("b");

    public static uint Of(ReadOnlySpan<byte> key)
    {
        ref var start = ref MemoryMarshal.GetReference(key);
        var length = key.Length;
        var state = Seed ^ (ulong)length;
        ulong first, last;
        if (length <= 16)
        {
            if (length >= 8)
            {
                first = Read64(ref start, 0);
                last = Read64(ref start, length - 8);
            }
            else if (length >= 4)
            {
                first = Read32(ref start, 0);
                last = Read32(ref start, length - 4);
            }
            else if (length > 0)
            {
                first = ((ulong)start << 16) | ((ulong)Unsafe.Add(ref start, length >> 1) << 8) | Unsafe.Add(ref start, length - 1);
                last = 0;
            }
            else
            {
                first = last = 0;
            }
        }
        else
        {
            var at = 0;
            for (; at < length - 16; at += 16)
                state = Fold(Read64(ref start, at) ^ Mix1, Read64(ref start, at + 8) ^ state);
            first = Read64(ref start, length - 16);
            last = Read64(ref start, length - 8);
        }

        var hash = Fold(first ^ Mix2, last ^ state);
        hash = Fold(hash ^ Mix1, state ^ Mix2);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Read64(ref byte start, int offset) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));

    private static ulong Read32(ref byte start, int offset) => Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));

    private static ulong Fold(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }
}
