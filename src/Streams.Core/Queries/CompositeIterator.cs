namespace Streams.Core;

/// <summary>Walks one iterator after the other, each opened when the one before is at its end. Order holds within a partition only.</summary>
internal sealed class CompositeIterator<TStore, K, V>(IReadOnlyList<TStore> stores, Func<TStore, IKeyValueIterator<K, V>> open) : IKeyValueIterator<K, V>
{
    private int _next;
    private IKeyValueIterator<K, V>? _current;

    public K Key => (_current ?? throw NotOnEntry()).Key;

    public V Value => (_current ?? throw NotOnEntry()).Value;

    public bool MoveNext()
    {
        while (true)
        {
            if (_current is not null)
            {
                if (_current.MoveNext()) return true;
                _current.Dispose();
                _current = null;
            }

            if (_next == stores.Count) return false;
            _current = open(stores[_next++]);
        }
    }

    public void Dispose()
    {
        _current?.Dispose();
        _current = null;
        _next = stores.Count;
    }

    private static InvalidOperationException NotOnEntry() => new("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");
}

/// <summary>Shows the values of an iterator without their timestamps.</summary>
internal sealed class UntimedIterator<K, V>(IKeyValueIterator<K, ValueAndTimestamp<V>> inner) : IKeyValueIterator<K, V>
{
    public K Key => inner.Key;

    public V Value => inner.Value.Value;

    public bool MoveNext() => inner.MoveNext();

    public void Dispose() => inner.Dispose();
}
