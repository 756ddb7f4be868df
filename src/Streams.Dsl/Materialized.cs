using System.Diagnostics.CodeAnalysis;
using Streams.Dsl.TimeToLive;
using Streams.Dsl.Windows;
using Streams.State;

namespace Streams.Dsl;

/// <summary>
/// How a table is kept, where the types are inferred: <c>Count(Materialized.As("counts"))</c>. Converts to <see cref="Materialized{K, V}"/>.
/// Source: Kafka's <c>Materialized</c>.
/// </summary>
public sealed record Materialized
{
    private Materialized(StoreSettings settings) => Settings = settings;

    internal StoreSettings Settings { get; }

    /// <summary>
    /// Names the store. A named store can be queried, and its changelog is <c>application-name-changelog</c>, whatever is added to the topology.
    /// </summary>
    public static Materialized As(string storeName) => new(new StoreSettings { Name = Named.As(storeName).Name });

    /// <summary>Keeps the table in that engine.</summary>
    public static Materialized As(StoreType storeType) => new(new StoreSettings { Type = storeType });

    /// <summary>Keeps the table in a store made by <see cref="Stores"/>, and names it like that.</summary>
    public static Materialized As(KeyValueBytesStoreSupplier supplier) => new(new StoreSettings().With(supplier, supplier?.Name));

    /// <summary>Keeps the windows in a store made by <see cref="Stores"/>, and names it like that.</summary>
    /// <remarks>Its window size must be that of the windows, and its retention at least window size plus grace; it must not keep duplicates.</remarks>
    public static Materialized As(WindowBytesStoreSupplier supplier) => new(new StoreSettings().With(supplier, supplier?.Name));

    /// <summary>Keeps the sessions in a store made by <see cref="Stores"/>, and names it like that. Its retention must be at least inactivity gap plus grace.</summary>
    public static Materialized As(SessionBytesStoreSupplier supplier) => new(new StoreSettings().With(supplier, supplier?.Name));

    /// <summary>Keeps the versions of the rows in a store made by <see cref="Stores"/>, and names it like that. For tables from topics and streams.</summary>
    public static Materialized As(VersionedBytesStoreSupplier supplier) =>
        new(new StoreSettings().With(supplier, supplier?.Name) with { HistoryRetention = supplier!.HistoryRetention });

    /// <summary>Keeps the table with these serdes; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static Materialized<K, V> With<K, V>(ISerde<K>? keySerde, ISerde<V>? valueSerde) => new() { KeySerde = keySerde, ValueSerde = valueSerde };

    /// <inheritdoc cref="Materialized{K, V}.WithStoreType"/>
    public Materialized WithStoreType(StoreType storeType) => new(Settings with { Type = storeType });

    /// <inheritdoc cref="Materialized{K, V}.WithCachingEnabled"/>
    public Materialized WithCachingEnabled() => new(Settings with { Caching = true });

    /// <inheritdoc cref="Materialized{K, V}.WithCachingDisabled"/>
    public Materialized WithCachingDisabled() => new(Settings with { Caching = false });

    /// <inheritdoc cref="Materialized{K, V}.WithLoggingEnabled"/>
    public Materialized WithLoggingEnabled(IReadOnlyDictionary<string, string>? topicConfig = null) =>
        new(Settings with { Logging = true, LogConfig = topicConfig ?? StoreSettings.NoConfig });

    /// <inheritdoc cref="Materialized{K, V}.WithLoggingDisabled"/>
    public Materialized WithLoggingDisabled() => new(Settings with { Logging = false });

    /// <inheritdoc cref="Materialized{K, V}.WithRetention"/>
    public Materialized WithRetention(TimeSpan retention) => new(Settings.WithRetention(retention));

    /// <inheritdoc cref="Materialized{K, V}.WithHistoryRetention"/>
    public Materialized WithHistoryRetention(TimeSpan retention) => new(Settings.WithHistoryRetention(retention));

    /// <inheritdoc cref="Materialized{K, V}.WithTimeToLive"/>
    public Materialized WithTimeToLive(TimeSpan timeToLive, TtlBasis basis = TtlBasis.EventTime) => new(Settings.WithTimeToLive(timeToLive, basis));
}

/// <summary>How a table is kept: store, serdes, cache and changelog. Source: Kafka's <c>Materialized</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Materialized<K, V>
{
    internal StoreSettings Settings { get; init; } = new();

    /// <summary>Serde of the keys. Default: the stream's or table's, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of the values. Default: found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Name of the store, <c>null</c> when it is generated.</summary>
    public string? StoreName => Settings.Name;

    /// <summary>Names the store.</summary>
    /// <exception cref="ArgumentException">The store comes from a supplier, which names it.</exception>
    public Materialized<K, V> WithName(string storeName)
    {
        if (Settings.Store is not null) throw new ArgumentException($"The store has the name '{Settings.Name}' from its supplier; it cannot be called '{storeName}' too.", nameof(storeName));
        return this with { Settings = Settings with { Name = Named.As(storeName).Name } };
    }

    /// <summary>The same with another key serde.</summary>
    public Materialized<K, V> WithKeySerde(ISerde<K> serde) => this with { KeySerde = serde };

    /// <summary>The same with another value serde.</summary>
    public Materialized<K, V> WithValueSerde(ISerde<V> serde) => this with { ValueSerde = serde };

    /// <summary>Keeps the table in that engine. Default: <see cref="StreamsBuilderOptions.DefaultStoreType"/>.</summary>
    public Materialized<K, V> WithStoreType(StoreType storeType) => this with { Settings = Settings with { Type = storeType } };

    /// <summary>
    /// Keeps the table in a store of your own, which is named, logged and cached as its builder says; what is said about these here does not count.
    /// </summary>
    public Materialized<K, V> WithStore(IStoreBuilder<ITimestampedKeyValueStore<K, V>> store) => WithOwn(store);

    /// <inheritdoc cref="WithStore(IStoreBuilder{ITimestampedKeyValueStore{K, V}})"/>
    public Materialized<K, V> WithStore(IStoreBuilder<ITimestampedWindowStore<K, V>> store) => WithOwn(store);

    /// <inheritdoc cref="WithStore(IStoreBuilder{ITimestampedKeyValueStore{K, V}})"/>
    public Materialized<K, V> WithStore(IStoreBuilder<ISessionStore<K, V>> store) => WithOwn(store);

    private Materialized<K, V> WithOwn(IStoreBuilder store) => this with { Settings = Settings.With(store, store?.Name) };

    /// <summary>Puts the record cache in front: only the last change per key and commit goes on. The default.</summary>
    public Materialized<K, V> WithCachingEnabled() => this with { Settings = Settings with { Caching = true } };

    /// <summary>Sends every change on.</summary>
    public Materialized<K, V> WithCachingDisabled() => this with { Settings = Settings with { Caching = false } };

    /// <summary>Logs every change to the changelog topic, with these settings on the topic (Kafka's names). The default.</summary>
    public Materialized<K, V> WithLoggingEnabled(IReadOnlyDictionary<string, string>? topicConfig = null) =>
        this with { Settings = Settings with { Logging = true, LogConfig = topicConfig ?? StoreSettings.NoConfig } };

    /// <summary>Keeps no changelog: the content is lost with the folder, and nothing is restored on another instance.</summary>
    public Materialized<K, V> WithLoggingDisabled() => this with { Settings = Settings with { Logging = false } };

    /// <summary>
    /// How long windows and sessions are kept, counted back from stream time; at least window size plus grace. Default: exactly that. For windowed
    /// and session stores only.
    /// </summary>
    public Materialized<K, V> WithRetention(TimeSpan retention) => this with { Settings = Settings.WithRetention(retention) };

    /// <summary>Keeps old versions of each row for so long, so that joins see the table as of a record's time. For tables from topics. Source: KIP-889.</summary>
    public Materialized<K, V> WithHistoryRetention(TimeSpan retention) => this with { Settings = Settings.WithHistoryRetention(retention) };

    /// <summary>
    /// Lets rows expire: one that has not been written for so long is deleted, and the deletion sent downstream. An aggregate that has expired begins anew with the
    /// next record. Kafka Streams has nothing like it.
    /// </summary>
    /// <remarks>
    /// <para>
    /// For <c>Count</c>, <c>Reduce</c>, <c>Aggregate</c> and <c>TopN</c> of a grouped stream without windows, for <c>ToTable</c> and <c>Table</c>; refused elsewhere. By event
    /// time a row lives from its timestamp on (the largest of what went into an aggregate), and the deletion has the timestamp at which it ended. A record that is
    /// so old that its row would be over at once is dropped and counted as <see cref="DropReason.Expired"/>, unless it goes into an aggregate that is alive.
    /// </para>
    /// <para>
    /// A row that is over is not seen by the operator or, by event time, by joins. Deletions follow with the next record of the operator or, at the latest, a tenth of the time to
    /// live later, 1 s at most; not more than 1,000 with one record and 10,000 with one punctuation. Until then queries still see the row.
    /// </para>
    /// <para>
    /// State: beside the rows an index by time, <c>store-ttl</c>, with its changelog, so that rows are found without looking at the others and expire after a restart too. The
    /// topic of a table is not reused as its changelog, since expired rows are still in it.
    /// </para>
    /// </remarks>
    /// <param name="timeToLive">At least 1 ms, in whole milliseconds.</param>
    /// <param name="basis">By which clock.</param>
    public Materialized<K, V> WithTimeToLive(TimeSpan timeToLive, TtlBasis basis = TtlBasis.EventTime) => this with { Settings = Settings.WithTimeToLive(timeToLive, basis) };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "The With methods are the named form.")]
    [return: NotNullIfNotNull(nameof(materialized))]
    public static implicit operator Materialized<K, V>?(Materialized? materialized) =>
        materialized is null ? null : new() { Settings = materialized.Settings };
}

/// <summary>What <see cref="Materialized"/> says, without types.</summary>
internal sealed record StoreSettings
{
    public static readonly IReadOnlyDictionary<string, string> NoConfig = new Dictionary<string, string>();

    public string? Name { get; init; }

    public StoreType? Type { get; init; }

    public bool Caching { get; init; } = true;

    public bool Logging { get; init; } = true;

    public IReadOnlyDictionary<string, string> LogConfig { get; init; } = NoConfig;

    public TimeSpan? Retention { get; init; }

    public TimeSpan? HistoryRetention { get; init; }

    public TimeToLiveSettings? TimeToLive { get; init; }

    /// <summary>Which store was asked for: a supplier, or the builder of a store of the user's; <c>null</c> for <see cref="Type"/>.</summary>
    public object? Store { get; private init; }

    public StoreSettings With([NotNull] object? store, string? name)
    {
        ArgumentNullException.ThrowIfNull(store);
        return this with { Store = store, Name = Named.As(name!).Name };
    }

    public StoreSettings WithRetention(TimeSpan retention)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(retention, TimeSpan.Zero);
        return this with { Retention = retention };
    }

    public StoreSettings WithTimeToLive(TimeSpan timeToLive, TtlBasis basis)
    {
        if (!Enum.IsDefined(basis)) throw new ArgumentOutOfRangeException(nameof(basis), basis, "There is no such clock.");
        return this with { TimeToLive = new TimeToLiveSettings(WindowTimes.Positive(timeToLive, nameof(timeToLive)), basis) };
    }

    public StoreSettings WithHistoryRetention(TimeSpan retention)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(retention, TimeSpan.Zero);
        return this with { HistoryRetention = retention };
    }
}
