using System.Diagnostics.CodeAnalysis;

namespace Streams.Testing;

/// <summary>
/// A partition of a changelog as the broker would have it after compaction: the last record of each key, tombstones included, at its offset. So it
/// grows with the number of keys only, and a store that is restored from it must cope with the gaps.
/// </summary>
internal sealed class CompactedLog
{
    private readonly SortedDictionary<long, CapturedRecord> _records = [];
    private readonly Dictionary<byte[], long> _offsetByKey = new(new ByteComparer());

    public long EndOffset { get; private set; }

    public void Append(CapturedRecord record)
    {
        var offset = EndOffset++;

        // A compacted topic takes no record without a key, and no store logs one; a source topic that serves as changelog may hold some.
        if (record.Key is null) return;
        if (_offsetByKey.TryGetValue(record.Key, out var previous)) _records.Remove(previous);
        _offsetByKey[record.Key] = offset;
        _records.Add(offset, record);
    }

    public IEnumerable<KeyValuePair<long, CapturedRecord>> From(long offset) => _records.SkipWhile(entry => entry.Key < offset);

    private sealed class ByteComparer : IEqualityComparer<byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj)
        {
            var hash = new HashCode();
            hash.AddBytes(obj);
            return hash.ToHashCode();
        }
    }
}
