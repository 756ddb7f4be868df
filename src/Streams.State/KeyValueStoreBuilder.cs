using Streams.State.KeyValue;

namespace Streams.State;

/// <summary>Describes a key-value store.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class KeyValueStoreBuilder<K, V> : StoreBuilder<IKeyValueStore<K, V>, KeyValueStoreBuilder<K, V>>
{
    private readonly KeyValueBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal KeyValueStoreBuilder(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
        : base((supplier ?? throw new ArgumentNullException(nameof(supplier))).Name)
    {
        ArgumentNullException.ThrowIfNull(keySerde);
        ArgumentNullException.ThrowIfNull(valueSerde);
        if (supplier.IsPersistent && supplier.IsTimestamped)
        {
            throw new ArgumentException(
                $"Store '{supplier.Name}' has timestamps on disk; use TimestampedKeyValueStoreBuilder, or PersistentKeyValueStore as supplier.", nameof(supplier));
        }

        _supplier = supplier;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override IKeyValueStore<K, V> Build() => new PlainKeyValueStore<K, V>(_supplier, _keySerde, _valueSerde, CachingEnabled);
}
