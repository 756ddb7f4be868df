using Streams.State.Window;

namespace Streams.State;

/// <summary>Describes a window store.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class WindowStoreBuilder<K, V> : StoreBuilder<IWindowStore<K, V>, WindowStoreBuilder<K, V>>
{
    private readonly WindowBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal WindowStoreBuilder(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
        : base((supplier ?? throw new ArgumentNullException(nameof(supplier))).Name)
    {
        ArgumentNullException.ThrowIfNull(keySerde);
        ArgumentNullException.ThrowIfNull(valueSerde);
        if (supplier.IsPersistent && supplier.IsTimestamped)
        {
            throw new ArgumentException(
                $"Store '{supplier.Name}' has timestamps on disk; use TimestampedWindowStoreBuilder, or PersistentWindowStore as supplier.", nameof(supplier));
        }

        _supplier = supplier;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override ChangelogCleanup ChangelogCleanup => ChangelogCleanup.CompactAndDelete;

    /// <inheritdoc/>
    public override TimeSpan? Retention => _supplier.RetentionPeriod;

    /// <summary>Puts a record cache in front: only the last write per key, window and commit is logged and forwarded. Stores with duplicates have none, as Kafka's.</summary>
    public override WindowStoreBuilder<K, V> WithCachingEnabled() => _supplier.RetainDuplicates ? this : base.WithCachingEnabled();

    /// <inheritdoc/>
    public override IWindowStore<K, V> Build() => new PlainWindowStore<K, V>(_supplier, _keySerde, _valueSerde, CachingEnabled);
}
