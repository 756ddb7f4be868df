using System.Diagnostics.CodeAnalysis;
using Streams.Dsl.Dropped;
using Streams.State;

namespace Streams.Dsl;

/// <summary>A join of two streams, where the types are inferred. Converts to <see cref="StreamJoined{K, V, VO}"/>. Source: KIP-479.</summary>
public sealed record StreamJoined
{
    private StreamJoined()
    {
    }

    internal string? Name { get; private init; }

    internal string? StoreName { get; private init; }

    internal StoreType? StoreType { get; private init; }

    /// <summary>Names the join and, where a stream's key has been changed, its repartition topics <c>name-left</c> and <c>name-right</c>.</summary>
    public static StreamJoined As(string name) => new() { Name = Named.Checked(name) };

    /// <summary>Keeps the windows in that engine.</summary>
    public static StreamJoined With(StoreType storeType) => new() { StoreType = storeType };

    /// <summary>Serdes of both streams; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static StreamJoined<K, V, VO> With<K, V, VO>(ISerde<K>? keySerde, ISerde<V>? valueSerde, ISerde<VO>? otherValueSerde) =>
        new() { KeySerde = keySerde, ValueSerde = valueSerde, OtherValueSerde = otherValueSerde };

    /// <summary>The same with named stores, and so named changelog topics. The stores cannot be queried.</summary>
    public StreamJoined WithStoreName(string storeName) => this with { StoreName = Named.Checked(storeName) };

    /// <summary>The same in another engine.</summary>
    public StreamJoined WithStoreType(StoreType storeType) => this with { StoreType = storeType };
}

/// <summary>A join of two streams: names, serdes and the stores of its windows. Source: KIP-479.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type of this stream.</typeparam>
/// <typeparam name="VO">Value type of the other stream.</typeparam>
public sealed record StreamJoined<K, V, VO>
{
    /// <summary>Name of the join and prefix of its repartition topics. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Prefix of the names of the window stores and their changelogs. Default: generated.</summary>
    public string? StoreName
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Serde of the keys. Default: the streams', else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of this stream's values. Default: its own, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Serde of the other stream's values. Default: its own, else found by type.</summary>
    public ISerde<VO>? OtherValueSerde { get; init; }

    /// <summary>Engine of the window stores. Default: <see cref="StreamsBuilderOptions.DefaultStoreType"/>.</summary>
    public StoreType? StoreType { get; init; }

    /// <summary>
    /// Store of this stream's window, made by <see cref="Stores"/>; it must keep duplicates, for windows of before + after and for before + after + grace. Default:
    /// one of <see cref="StoreType"/>.
    /// </summary>
    public WindowBytesStoreSupplier? ThisStoreSupplier { get; init; }

    /// <summary>Store of the other stream's window, as <see cref="ThisStoreSupplier"/>, under another name.</summary>
    public WindowBytesStoreSupplier? OtherStoreSupplier { get; init; }

    /// <summary>Whether the windows are logged. Default: yes; without, records that wait for a partner are lost with the machine.</summary>
    public bool LoggingEnabled { get; init; } = true;

    /// <summary>Settings of the changelog topics by their Kafka names.</summary>
    public IReadOnlyDictionary<string, string> LogConfig { get; init; } = StoreSettings.NoConfig;

    internal DroppedOutput<K, V>? Dropped { get; init; }

    internal DroppedOutput<K, VO>? OtherDropped { get; init; }

    /// <summary>
    /// The same with a way of their own for records of this stream that the join leaves out: those without key or value, and those older than its windows keep, which
    /// are joined with what is there but not kept for who comes after them. See <see cref="KGroupedStream{K, V}.WithDropped"/>.
    /// </summary>
    /// <param name="use">Called with their stream when the join is added.</param>
    /// <param name="named">Name of the node that gives them.</param>
    public StreamJoined<K, V, VO> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) =>
        this with { Dropped = DroppedOutput<K, V>.Of(use, named) };

    /// <summary>The same with a way of their own for records of the other stream that the join leaves out.</summary>
    /// <inheritdoc cref="WithDropped"/>
    public StreamJoined<K, V, VO> WithOtherDropped(Action<KStream<K, DroppedRecord<VO>>> use, Named? named = null) =>
        this with { OtherDropped = DroppedOutput<K, VO>.Of(use, named) };

    /// <summary>The same with another name.</summary>
    public StreamJoined<K, V, VO> WithName(string name) => this with { Name = name };

    /// <summary>The same with named stores.</summary>
    public StreamJoined<K, V, VO> WithStoreName(string storeName) => this with { StoreName = storeName };

    /// <summary>The same with this stream's window in that store.</summary>
    public StreamJoined<K, V, VO> WithThisStoreSupplier(WindowBytesStoreSupplier supplier) => this with { ThisStoreSupplier = supplier };

    /// <summary>The same with the other stream's window in that store.</summary>
    public StreamJoined<K, V, VO> WithOtherStoreSupplier(WindowBytesStoreSupplier supplier) => this with { OtherStoreSupplier = supplier };

    /// <summary>The same without changelogs.</summary>
    public StreamJoined<K, V, VO> WithLoggingDisabled() => this with { LoggingEnabled = false };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the properties is the named form.")]
    [return: NotNullIfNotNull(nameof(joined))]
    public static implicit operator StreamJoined<K, V, VO>?(StreamJoined? joined) =>
        joined is null ? null : new() { Name = joined.Name, StoreName = joined.StoreName, StoreType = joined.StoreType };
}
