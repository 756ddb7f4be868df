using System.Buffers.Binary;
using System.Diagnostics;

namespace Streams.State.Bytes;

/// <summary>
/// The entries of each user key of a segmented store as a list in order of their suffix, which begins with the time: for look-ups of one key over a time range, without
/// any order between keys. Most entries come in order of time, so that the place of a new one is the end of its key's list.
/// </summary>
/// <remarks>
/// A bucket is 8 bytes: hash of the user key, and the last entry's number. Removing shifts the following buckets back. Links have the time with them, so that walking
/// along a list touches no keys.
/// </remarks>
internal sealed class KeyChains
{
    private const int None = -1;
    private const int FirstBucketCount = 32;

    private ulong[] _buckets = new ulong[FirstBucketCount];
    private Links[] _links = [];
    private int _count;

    public void Add<TKeys>(int id, int suffixBytes, TKeys keys)
        where TKeys : IKeySource
    {
        if (id >= _links.Length) Array.Resize(ref _links, Math.Max(64, Math.Max(id + 1, _links.Length * 2)));
        var key = keys.KeyOf(id);
        var userKey = UserKey(key, suffixBytes);
        var hash = KeyHash.Of(userKey);
        var time = BinaryPrimitives.ReadInt64BigEndian(key[^suffixBytes..]);
        var at = Find(hash, userKey, suffixBytes, keys);
        if (_buckets[at] == 0)
        {
            _links[id] = new Links(None, None, time);
            _buckets[at] = Bucket(hash, id);
            if (++_count * 5L >= _buckets.Length * 4L) Grow();
            return;
        }

        var before = Last(at);
        var after = None;
        var suffix = key[^suffixBytes..];
        while (before != None
            && (_links[before].Time > time || (_links[before].Time == time && keys.KeyOf(before)[^suffixBytes..].SequenceCompareTo(suffix) > 0)))
        {
            after = before;
            before = _links[before].Previous;
        }

        _links[id] = new Links(before, after, time);
        if (before != None) _links[before].Next = id;
        if (after != None) _links[after].Previous = id;
        else _buckets[at] = Bucket(hash, id);
    }

    /// <summary>Takes an entry out; its key must still be there.</summary>
    public void Remove<TKeys>(int id, int suffixBytes, TKeys keys)
        where TKeys : IKeySource
    {
        var (previous, next, _) = _links[id];
        if (previous != None) _links[previous].Next = next;
        if (next != None)
        {
            _links[next].Previous = previous;
            return;
        }

        // The last of its key: the bucket names the one before, or goes.
        var userKey = UserKey(keys.KeyOf(id), suffixBytes);
        var hash = KeyHash.Of(userKey);
        var at = Find(hash, userKey, suffixBytes, keys);
        Debug.Assert(_buckets[at] != 0 && Last(at) == id, "the bucket names the last of its key");
        if (previous != None) _buckets[at] = Bucket(hash, previous);
        else Unlink(at);
    }

    /// <summary>The last entry of a user key, or -1.</summary>
    public int LastOf<TKeys>(ReadOnlySpan<byte> userKey, int suffixBytes, TKeys keys)
        where TKeys : IKeySource
    {
        var at = Find(KeyHash.Of(userKey), userKey, suffixBytes, keys);
        return _buckets[at] == 0 ? None : Last(at);
    }

    /// <summary>The entry of the same user key before one, or -1.</summary>
    public int Before(int id) => _links[id].Previous;

    /// <summary>The entry of the same user key after one, or -1.</summary>
    public int After(int id) => _links[id].Next;

    /// <summary>The time that an entry's suffix begins with.</summary>
    public long TimeOf(int id) => _links[id].Time;

    private static ReadOnlySpan<byte> UserKey(ReadOnlySpan<byte> key, int suffixBytes) => key[sizeof(ulong)..^suffixBytes];

    private static ulong Bucket(uint hash, int last) => ((ulong)hash << 32) | (uint)(last + 1);

    private int Last(uint at) => (int)(uint)_buckets[at] - 1;

    /// <summary>The bucket of a user key, or the empty one where it would be.</summary>
    private uint Find<TKeys>(uint hash, ReadOnlySpan<byte> userKey, int suffixBytes, TKeys keys)
        where TKeys : IKeySource
    {
        var mask = (uint)_buckets.Length - 1;
        for (var at = hash & mask; ; at = (at + 1) & mask)
        {
            var bucket = _buckets[at];
            if (bucket == 0) return at;
            if ((uint)(bucket >> 32) == hash && UserKey(keys.KeyOf(Last(at)), suffixBytes).SequenceEqual(userKey)) return at;
        }
    }

    private void Unlink(uint hole)
    {
        var mask = (uint)_buckets.Length - 1;
        _count--;
        for (var at = (hole + 1) & mask; _buckets[at] != 0; at = (at + 1) & mask)
        {
            var home = (uint)(_buckets[at] >> 32) & mask;
            if (((at - home) & mask) < ((at - hole) & mask)) continue;
            _buckets[hole] = _buckets[at];
            hole = at;
        }

        _buckets[hole] = 0;
    }

    private void Grow()
    {
        var buckets = new ulong[_buckets.Length * 2];
        var mask = (uint)buckets.Length - 1;
        foreach (var bucket in _buckets)
        {
            if (bucket == 0) continue;
            var at = (uint)(bucket >> 32) & mask;
            while (buckets[at] != 0) at = (at + 1) & mask;
            buckets[at] = bucket;
        }

        _buckets = buckets;
    }

    private record struct Links(int Previous, int Next, long Time);
}
