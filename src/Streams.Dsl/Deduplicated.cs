using System.Diagnostics.CodeAnalysis;
using Streams.Dsl.Dropped;
using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>How duplicates are found, where the types are inferred. Converts to <see cref="Deduplicated{K, V}"/>.</summary>
public sealed record Deduplicated
{
    private Deduplicated(string name) => Name = name;

    internal string Name { get; }

    /// <summary>
    /// Names the operator: its store is <c>name-store</c>, and its repartition topic, if the key has been changed, <c>application-name-repartition</c>.
    /// </summary>
    public static Deduplicated As(string name) => new(Named.As(name).Name);
}

/// <summary>How duplicates are found: names, serdes, how late records may come, and where what has passed is remembered.</summary>
/// <typeparam name="K">Key type of the stream.</typeparam>
/// <typeparam name="V">Its value type.</typeparam>
public sealed record Deduplicated<K, V>
{
    /// <summary>Name of the operator. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Serde of the keys. Default: the stream's, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of the values, for the repartition topic. Default: the stream's, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>
    /// How much older than stream time a record may be, in whole milliseconds. One that is older is dropped as late: whether it is a duplicate cannot be
    /// told any more. Default: the interval itself.
    /// </summary>
    public TimeSpan? GracePeriod
    {
        get;
        init
        {
            if (value is { } grace) WindowTimes.NotNegative(grace, nameof(GracePeriod));
            field = value;
        }
    }

    /// <summary>Engine of the store. Default: <see cref="StreamsBuilderOptions.DefaultStoreType"/>.</summary>
    public StoreType? StoreType { get; init; }

    /// <summary>Whether what has passed is logged. Default: yes; without, it is forgotten with the machine, and duplicates pass once more.</summary>
    public bool LoggingEnabled { get; init; } = true;

    /// <summary>Settings of the changelog topic by their Kafka names.</summary>
    public IReadOnlyDictionary<string, string> LogConfig { get; init; } = StoreSettings.NoConfig;

    internal DroppedOutput<K, V>? Dropped { get; init; }

    /// <summary>The same with another name.</summary>
    public Deduplicated<K, V> WithName(string name) => this with { Name = name };

    /// <summary>The same with another grace period.</summary>
    public Deduplicated<K, V> WithGracePeriod(TimeSpan gracePeriod) => this with { GracePeriod = gracePeriod };

    /// <summary>
    /// The same with a way of their own for the records that are left out: duplicates (<see cref="DropReason.Duplicate"/>) and those that come too late to tell. See
    /// <see cref="KGroupedStream{K, V}.WithDropped"/>.
    /// </summary>
    /// <param name="use">Called with their stream when the operator is added.</param>
    /// <param name="named">Name of the node that gives them.</param>
    public Deduplicated<K, V> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) =>
        this with { Dropped = DroppedOutput<K, V>.Of(use, named) };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the property is the named form.")]
    [return: NotNullIfNotNull(nameof(deduplicated))]
    public static implicit operator Deduplicated<K, V>?(Deduplicated? deduplicated) => deduplicated is null ? null : new() { Name = deduplicated.Name };
}
