using System.Buffers.Binary;

namespace Streams.Core;

/// <summary>The hash that places keys on partitions: 32-bit Murmur 2 with Kafka's seed, over the serialised key.</summary>
/// <remarks>Source: Kafka's <c>Utils.murmur2</c> and <c>BuiltInPartitioner</c>; recorded vectors are in the tests.</remarks>
public static class Murmur2
{
    private const uint Seed = 0x9747b28c;
    private const uint Multiplier = 0x5bd1e995;

    /// <summary>The hash of the bytes.</summary>
    public static int Hash(ReadOnlySpan<byte> data)
    {
        unchecked
        {
            var hash = Seed ^ (uint)data.Length;
            while (data.Length >= sizeof(uint))
            {
                var word = BinaryPrimitives.ReadUInt32LittleEndian(data);
                word *= Multiplier;
                word ^= word >> 24;
                hash = (hash * Multiplier) ^ (word * Multiplier);
                data = data[sizeof(uint)..];
            }

            if (data.Length == 3) hash ^= (uint)data[2] << 16;
            if (data.Length >= 2) hash ^= (uint)data[1] << 8;
            if (data.Length >= 1) hash = (hash ^ data[0]) * Multiplier;

            hash = (hash ^ (hash >> 13)) * Multiplier;
            return (int)(hash ^ (hash >> 15));
        }
    }

    /// <summary>The partition of a serialised key.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="partitionCount">Number of partitions, at least 1.</param>
    public static int Partition(ReadOnlySpan<byte> key, int partitionCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitionCount, 1);
        return (Hash(key) & int.MaxValue) % partitionCount;
    }
}
