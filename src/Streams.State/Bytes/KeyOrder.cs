using System.Buffers.Binary;

namespace Streams.State.Bytes;

/// <summary>Order of keys: as unsigned bytes, a key before those that it is a prefix of. RocksDB's and Kafka's order.</summary>
internal static class KeyOrder
{
    /// <summary>The first 8 bytes as a number that orders like them; ties need the whole keys.</summary>
    public static ulong Prefix(ReadOnlySpan<byte> key)
    {
        if (key.Length >= sizeof(ulong)) return BinaryPrimitives.ReadUInt64BigEndian(key);
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        padded.Clear();
        key.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    /// <summary>The smallest key that no key with the given prefix reaches; false when there is none (the prefix is empty or all 0xFF).</summary>
    public static bool TryAfterPrefix(ReadOnlySpan<byte> prefix, out byte[] after)
    {
        var length = prefix.Length;
        while (length > 0 && prefix[length - 1] == byte.MaxValue) length--;
        after = prefix[..length].ToArray();
        if (length == 0) return false;
        after[length - 1]++;
        return true;
    }
}
