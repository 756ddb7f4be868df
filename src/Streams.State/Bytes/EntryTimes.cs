using System.Buffers.Binary;

namespace Streams.State.Bytes;

/// <summary>Tells from a key of a segmented store the time that its entry expires by, Unix milliseconds.</summary>
internal abstract class EntryTimes
{
    /// <summary>The time of entries that do not expire.</summary>
    public const long Lasting = long.MaxValue;

    public abstract long TimeOf(ReadOnlySpan<byte> key);
}

/// <summary>Keys end with a suffix of fixed length that begins with the time, 8 bytes big-endian.</summary>
internal sealed class SuffixTimes(int suffixBytes) : EntryTimes
{
    public override long TimeOf(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadInt64BigEndian(key[^suffixBytes..]);
}

/// <summary>Keys begin with the number of their segment, 8 bytes big-endian; an entry expires when its segment does.</summary>
internal sealed class SegmentTimes(long intervalMs) : EntryTimes
{
    public override long TimeOf(ReadOnlySpan<byte> key)
    {
        var segment = BinaryPrimitives.ReadUInt64BigEndian(key);
        return segment > (ulong)(long.MaxValue / intervalMs) ? Lasting : (long)segment * intervalMs;
    }
}
