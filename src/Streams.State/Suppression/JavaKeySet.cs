namespace Streams.State.Suppression;

/// <summary>
/// A set of keys that gives them in the order in which Java's <c>HashSet&lt;Bytes&gt;</c> would: Kafka's suppression buffer logs its changed keys in that order,
/// and so the changelog is the same record for record.
/// </summary>
internal sealed class JavaKeySet
{
    private const int FirstCapacity = 16;

    private readonly HashSet<byte[]> _keys = new(new ByteKeyComparer());
    private readonly List<Place> _places = [];

    // Java's table keeps its size when it is cleared.
    private int _capacity = FirstCapacity;

    public int Count => _keys.Count;

    public void Add(byte[] key)
    {
        if (!_keys.Add(key)) return;
        _places.Add(new Place(key, Hash(key), _places.Count));
        if (_keys.Count > _capacity / 4 * 3 && _capacity < 1 << 30) _capacity *= 2;
    }

    /// <summary>The keys in Java's order; the set may be cleared afterwards.</summary>
    public IEnumerable<byte[]> InOrder()
    {
        var mask = _capacity - 1;
        _places.Sort((x, y) =>
        {
            var order = (x.Hash & mask).CompareTo(y.Hash & mask);
            return order != 0 ? order : x.Number.CompareTo(y.Number);
        });
        foreach (var place in _places) yield return place.Key;
    }

    public void Clear()
    {
        _keys.Clear();
        _places.Clear();
    }

    private static int Hash(byte[] key)
    {
        var hash = 1;
        foreach (var one in key) hash = unchecked((31 * hash) + (sbyte)one);
        return hash ^ (int)((uint)hash >> 16);
    }

    private readonly record struct Place(byte[] Key, int Hash, int Number);
}
