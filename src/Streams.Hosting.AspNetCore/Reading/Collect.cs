using System.Globalization;
using Streams.Core;

namespace Streams.Hosting.AspNetCore.Reading;

/// <summary>Takes entries from iterators.</summary>
internal static class Collect
{
    /// <summary>At most so many entries, without a first one that is to be left out. Disposes the iterator.</summary>
    public static IReadOnlyList<KeyValuePair<TKey, TValue>> UpTo<TKey, TValue>(int count, IKeyValueIterator<TKey, TValue> iterator, Func<TKey, bool>? isToSkip = null)
    {
        using (iterator)
        {
            var entries = new List<KeyValuePair<TKey, TValue>>();
            var isFirst = true;
            while (entries.Count < count && iterator.MoveNext())
            {
                if (!isFirst || isToSkip is null || !isToSkip(iterator.Key)) entries.Add(new KeyValuePair<TKey, TValue>(iterator.Key, iterator.Value));
                isFirst = false;
            }

            return entries;
        }
    }

    /// <summary>What another instance is told of the page that is wanted.</summary>
    public static IEnumerable<(string Name, string Value)> Page(string? cursor, int limit)
    {
        yield return ("limit", limit.ToString(CultureInfo.InvariantCulture));
        if (cursor is not null) yield return ("cursor", cursor);
    }
}
