using System.Buffers;

namespace Streams.State.Bytes;

/// <summary>
/// Sorts entries by key: the bytes that all keys begin with are skipped, the next eight are compared as one number, and only ties look at whole keys.
/// </summary>
internal static class KeySorter
{
    public static void Sort<TKeys>(Span<int> ids, TKeys keys)
        where TKeys : IKeySource
    {
        if (ids.Length < 2) return;
        var skip = CommonPrefixLength(ids, keys);
        var prefixes = ArrayPool<ulong>.Shared.Rent(ids.Length);
        try
        {
            var used = prefixes.AsSpan(0, ids.Length);
            for (var i = 0; i < ids.Length; i++) used[i] = KeyOrder.Prefix(keys.KeyOf(ids[i])[skip..]);
            used.Sort(ids);
            for (var start = 0; start < ids.Length;)
            {
                var end = start + 1;
                while (end < ids.Length && used[end] == used[start]) end++;
                if (end - start > 1) ids[start..end].Sort(new WholeKeys<TKeys>(keys));
                start = end;
            }
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(prefixes);
        }
    }

    private static int CommonPrefixLength<TKeys>(ReadOnlySpan<int> ids, TKeys keys)
        where TKeys : IKeySource
    {
        var first = keys.KeyOf(ids[0]);
        var common = first.Length;
        for (var i = 1; i < ids.Length && common > 0; i++)
        {
            var key = keys.KeyOf(ids[i]);
            if (key.Length < common || !key[..common].SequenceEqual(first[..common])) common = first[..common].CommonPrefixLength(key);
        }

        return common;
    }

    private readonly struct WholeKeys<TKeys>(TKeys keys) : IComparer<int>
        where TKeys : IKeySource
    {
        public int Compare(int x, int y)
        {
            var order = keys.KeyOf(x).SequenceCompareTo(keys.KeyOf(y));

            // Equal keys keep their order of arrival: numbers grow with it where keys may repeat.
            return order != 0 ? order : x.CompareTo(y);
        }
    }
}
