using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kafka.Protocol.Records;

/// <summary>
/// CRC-32C (Castagnoli), the checksum of record batch v2. Large inputs run in three independent chains, because the CPU's instruction has a
/// latency of three cycles and a throughput of one; the three results are joined by advancing a CRC over the length of the next lane.
/// </summary>
public static class Crc32C
{
    private const uint ReversedPolynomial = 0x82F63B78;
    private const int LongLaneBytes = 4096;
    private const int ShortLaneBytes = 256;

    private static readonly uint[] s_longLaneShift = BuildShift(LongLaneBytes);
    private static readonly uint[] s_shortLaneShift = BuildShift(ShortLaneBytes);

    /// <summary>The CRC-32C of <paramref name="data"/>, as it stands in a batch header.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>Continues <paramref name="crc"/>, the CRC-32C of what came before, over <paramref name="data"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint state = ~crc;
        state = AppendLanes(state, ref data, LongLaneBytes, s_longLaneShift);
        state = AppendLanes(state, ref data, ShortLaneBytes, s_shortLaneShift);
        return ~AppendSerial(state, data);
    }

    /// <summary>The same in one chain; what the interleaved form is checked and measured against.</summary>
    internal static uint ComputeSerial(ReadOnlySpan<byte> data) => ~AppendSerial(uint.MaxValue, data);

    private static uint AppendLanes(uint state, ref ReadOnlySpan<byte> data, int laneBytes, uint[] shift)
    {
        while (data.Length >= 3 * laneBytes)
        {
            // References instead of slices: three bounds checks per step would cost more than the steps.
            ref byte a = ref MemoryMarshal.GetReference(data);
            ref byte b = ref Unsafe.Add(ref a, laneBytes);
            ref byte c = ref Unsafe.Add(ref b, laneBytes);
            uint stateB = 0;
            uint stateC = 0;
            for (nint i = 0; i < laneBytes; i += 8)
            {
                state = BitOperations.Crc32C(state, ReadWord(ref Unsafe.Add(ref a, i)));
                stateB = BitOperations.Crc32C(stateB, ReadWord(ref Unsafe.Add(ref b, i)));
                stateC = BitOperations.Crc32C(stateC, ReadWord(ref Unsafe.Add(ref c, i)));
            }

            state = Shift(shift, state) ^ stateB;
            state = Shift(shift, state) ^ stateC;
            data = data[(3 * laneBytes)..];
        }

        return state;
    }

    private static uint AppendSerial(uint state, ReadOnlySpan<byte> data)
    {
        ref byte start = ref MemoryMarshal.GetReference(data);
        int words = data.Length & ~7;
        for (nint i = 0; i < words; i += 8)
            state = BitOperations.Crc32C(state, ReadWord(ref Unsafe.Add(ref start, i)));
        foreach (byte b in data[words..])
            state = BitOperations.Crc32C(state, b);
        return state;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadWord(ref byte position)
    {
        ulong word = Unsafe.ReadUnaligned<ulong>(ref position);
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    /// <summary>The state after as many zero bytes as the table stands for: linear, so four look-ups, one per byte of the state.</summary>
    private static uint Shift(uint[] table, uint state) =>
        table[state & 0xFF] ^ table[256 + ((state >> 8) & 0xFF)] ^ table[512 + ((state >> 16) & 0xFF)] ^ table[768 + (state >> 24)];

    private static uint[] BuildShift(int byteCount)
    {
        // Running zero bytes through the 32 one-bit states is enough: every other state is an exclusive-or of those.
        Span<uint> images = stackalloc uint[32];
        for (int bit = 0; bit < 32; bit++)
        {
            uint state = 1u << bit;
            for (int i = 0; i < byteCount * 8; i++)
                state = (state & 1) != 0 ? (state >> 1) ^ ReversedPolynomial : state >> 1;
            images[bit] = state;
        }

        var table = new uint[4 * 256];
        for (int lane = 0; lane < 4; lane++)
        {
            for (int value = 0; value < 256; value++)
            {
                uint image = 0;
                for (int bit = 0; bit < 8; bit++)
                {
                    if ((value & (1 << bit)) != 0)
                        image ^= images[(lane * 8) + bit];
                }

                table[(lane * 256) + value] = image;
            }
        }

        return table;
    }
}
