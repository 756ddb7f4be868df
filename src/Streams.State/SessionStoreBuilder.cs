using Streams.State.Session;

namespace Streams.State;

/// <summary>Describes a session store.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Aggregate type.</typeparam>
public sealed class SessionStoreBuilder<K, V> : StoreBuilder<ISessionStore<K, V>, SessionStoreBuilder<K, V>>
{
    private readonly SessionBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ISerde<V> _valueSerde;

    internal SessionStoreBuilder(SessionBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
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

    /// <inheritdoc/>
    public override ISessionStore<K, V> Build() => new SessionStore<K, V>(_supplier, _keySerde, _valueSerde, CachingEnabled);
}
