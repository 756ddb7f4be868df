namespace Streams.Dsl.Top;

/// <summary>The values with the highest scores, highest first; of equal scores the one that came first is before.</summary>
internal static class TopList
{
    /// <summary>The list with another value in its place; the same instance when the value has none.</summary>
    public static IReadOnlyList<V> With<V>(IReadOnlyList<V> list, V value, int count, Func<V, long> score)
    {
        var place = PlaceOf(list, score(value), score);
        if (place == count) return list;
        var longer = new V[Math.Min(count, list.Count + 1)];
        for (var index = 0; index < longer.Length; index++) longer[index] = index < place ? list[index] : index == place ? value : list[index - 1];
        return longer;
    }

    /// <summary>Both lists in one; of equal scores those of the first are before.</summary>
    public static IReadOnlyList<V> Merge<V>(IReadOnlyList<V> first, IReadOnlyList<V> second, int count, Func<V, long> score)
    {
        var merged = new V[Math.Min(count, first.Count + second.Count)];
        var (one, other) = (0, 0);
        for (var index = 0; index < merged.Length; index++)
        {
            var takesFirst = other == second.Count || (one < first.Count && score(first[one]) >= score(second[other]));
            merged[index] = takesFirst ? first[one++] : second[other++];
        }

        return merged;
    }

    // Behind all that are not lower.
    private static int PlaceOf<V>(IReadOnlyList<V> list, long score, Func<V, long> scoreOf)
    {
        var (low, high) = (0, list.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (scoreOf(list[middle]) >= score) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
