namespace Streams.State.Shared;

/// <summary>
/// Walks a shared store. Key and value are taken out with the step, under the lock: between two steps the writer may move what the inner iterator points to.
/// What is written meanwhile is seen where it lies ahead.
/// </summary>
internal sealed class SharedIterator<K, V>(IKeyValueIterator<K, V> inner, StoreGate gate) : IKeyValueIterator<K, V>
{
    private bool _onEntry;
    private K _key = default!;
    private V _value = default!;

    public K Key => _onEntry ? _key : throw NotOnEntry();

    public V Value => _onEntry ? _value : throw NotOnEntry();

    public bool MoveNext()
    {
        using (gate.Enter())
        {
            _onEntry = inner.MoveNext();
            _key = _onEntry ? inner.Key : default!;
            _value = _onEntry ? inner.Value : default!;
            return _onEntry;
        }
    }

    public void Dispose()
    {
        // Also when the store is closed by now: what the iterator holds on to is its own.
        using (gate.EnterAsOwner()) inner.Dispose();
    }

    private static InvalidOperationException NotOnEntry() => new("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");
}
