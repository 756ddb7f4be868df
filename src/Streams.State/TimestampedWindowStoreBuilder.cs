using Streams.State.Window;

namespace Streams.State;

/// <summary>Describes a window store whose values carry timestamps. Source: KIP-258.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type, without timestamp.</typeparam>
public sealed class TimestampedWindowStoreBuilder<K, V> : StoreBuilder<ITimestampedWindowStore<K, V>, TimestampedWindowStoreBuilder<K, V>>
{
    private readonly WindowBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal TimestampedWindowStoreBuilder(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
        : base((supplier ?? throw new ArgumentNullException(nameof(supplier))).Name)
    {
        ArgumentNullException.ThrowIfNull(keySerde);
        ArgumentNullException.ThrowIfNull(valueSerde);
        _supplier = supplier;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override ChangelogCleanup ChangelogCleanup => ChangelogCleanup.CompactAndDelete;

    /// <inheritdoc/>
    public override TimeSpan? Retention => _supplier.RetentionPeriod;

    /// <summary>Puts a record cache in front: only the last write per key, window and commit is logged and forwarded. Stores with duplicates have none, as Kafka's.</summary>
    public override TimestampedWindowStoreBuilder<K, V> WithCachingEnabled() => _supplier.RetainDuplicates ? this : base.WithCachingEnabled();

    /// <inheritdoc/>
    public override ITimestampedWindowStore<K, V> Build() => new TimestampedWindowStore<K, V>(_supplier, _keySerde, _valueSerde, CachingEnabled);
}
