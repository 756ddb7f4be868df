namespace Streams.Dsl;

/// <summary>A stream together with the time within which its records meet those of another one. From <see cref="StreamQueryExtensions.Within"/>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class StreamWithin<K, V>
{
    internal StreamWithin(KStream<K, V> stream, JoinWindows windows)
    {
        Stream = stream;
        Windows = windows;
    }

    internal KStream<K, V> Stream { get; }

    internal JoinWindows Windows { get; }
}

/// <summary>A table whose rows may be missing in a join: <c>null</c> takes their place. From <see cref="TableQueryExtensions.OrNone"/>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class OptionalTable<K, V>
{
    internal OptionalTable(KTable<K, V> table) => Table = table;

    internal KTable<K, V> Table { get; }
}
