namespace Streams.Core;

/// <summary>
/// The order in which a Java <c>HashSet&lt;String&gt;</c> gives its elements. Kafka Streams' description prints stores, topics and successors out of
/// such sets, and its text is compared character by character, so the order is part of the format.
/// </summary>
internal static class JavaHashOrder
{
    private const int DefaultCapacity = 16;

    public static IReadOnlyList<string> Of(IReadOnlyCollection<string> elements)
    {
        var capacity = DefaultCapacity;
        while (elements.Count > capacity * 3 / 4) capacity *= 2;
        return [.. elements.OrderBy(element => Bucket(element, capacity))];
    }

    private static int Bucket(string text, int capacity)
    {
        var hash = 0;
        foreach (var unit in text) hash = unchecked((31 * hash) + unit);
        return (hash ^ (int)((uint)hash >> 16)) & (capacity - 1);
    }
}
