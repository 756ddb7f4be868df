using Streams.State.KeyValue;

namespace Streams.State;

/// <summary>Describes a key-value store whose entries carry timestamps. Source: KIP-258.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type, without timestamp.</typeparam>
public sealed class TimestampedKeyValueStoreBuilder<K, V> : StoreBuilder<ITimestampedKeyValueStore<K, V>, TimestampedKeyValueStoreBuilder<K, V>>
{
    private readonly KeyValueBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal TimestampedKeyValueStoreBuilder(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
        : base((supplier ?? throw new ArgumentNullException(nameof(supplier))).Name)
    {
        ArgumentNullException.ThrowIfNull(keySerde);
        ArgumentNullException.ThrowIfNull(valueSerde);
        _supplier = supplier;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override ITimestampedKeyValueStore<K, V> Build() => new TimestampedKeyValueStore<K, V>(_supplier, _keySerde, _valueSerde, CachingEnabled);
}
