using Streams.State.Versioned;

namespace Streams.State;

/// <summary>Describes a versioned key-value store. It has no record cache. Source: KIP-889.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class VersionedKeyValueStoreBuilder<K, V> : StoreBuilder<IVersionedKeyValueStore<K, V>, VersionedKeyValueStoreBuilder<K, V>>
{
    private readonly VersionedBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal VersionedKeyValueStoreBuilder(VersionedBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
        : base((supplier ?? throw new ArgumentNullException(nameof(supplier))).Name)
    {
        ArgumentNullException.ThrowIfNull(keySerde);
        ArgumentNullException.ThrowIfNull(valueSerde);
        _supplier = supplier;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override ChangelogCleanup ChangelogCleanup => ChangelogCleanup.CompactWithLag;

    /// <inheritdoc/>
    public override TimeSpan? Retention => _supplier.HistoryRetention;

    /// <summary>Not possible: every version counts, and a cache would keep the last one only.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override VersionedKeyValueStoreBuilder<K, V> WithCachingEnabled() =>
        throw new NotSupportedException($"Versioned store '{Name}' cannot have a record cache: it would swallow versions.");

    /// <inheritdoc/>
    public override IVersionedKeyValueStore<K, V> Build() => new VersionedStore<K, V>(_supplier, _keySerde, _valueSerde);
}
