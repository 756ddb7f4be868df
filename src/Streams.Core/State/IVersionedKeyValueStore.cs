using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>A value and the time from which, and until which, it holds. Source: KIP-889.</summary>
/// <param name="Value">The value.</param>
/// <param name="Timestamp">Unix milliseconds from which it holds.</param>
/// <param name="ValidTo">Unix milliseconds until which (exclusive) it holds; <c>null</c> for the latest.</param>
/// <typeparam name="V">Value type.</typeparam>
public readonly record struct VersionedRecord<V>(V Value, long Timestamp, long? ValidTo);

/// <summary>Reads of a versioned store.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IReadOnlyVersionedKeyValueStore<K, V>
{
    /// <summary>The latest value; false when there is none.</summary>
    bool TryGet(K key, [MaybeNullWhen(false)] out VersionedRecord<V> value);

    /// <summary>The value as of a time; false when there was none, or it is older than history retention.</summary>
    bool TryGet(K key, long asOfTimestamp, [MaybeNullWhen(false)] out VersionedRecord<V> value);

    /// <summary>How far back look-ups reach.</summary>
    TimeSpan HistoryRetention { get; }
}

/// <summary>
/// A key-value store that keeps older versions for its history retention, so that a look-up can be made as of a time. Source: KIP-889.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IVersionedKeyValueStore<K, V> : IStateStore, IReadOnlyVersionedKeyValueStore<K, V>
{
    /// <summary>Result of <see cref="Put"/> for a version that is older than history retention and was left out.</summary>
    const long NotPut = long.MinValue;

    /// <summary>Result of <see cref="Put"/> for a version that is the latest.</summary>
    const long ValidToUndefined = -1;

    /// <summary>Writes a version; a <c>null</c> value says that the key has none from that time on.</summary>
    /// <returns>Unix milliseconds until which the version holds, <see cref="ValidToUndefined"/> when it is the latest, or <see cref="NotPut"/>.</returns>
    long Put(K key, V value, long timestamp);

    /// <summary>Says that the key has no value from the given time on; returns as <see cref="Put"/>.</summary>
    long PutTombstone(K key, long timestamp);

    /// <summary>Deletes the value as of a time and gives what it was.</summary>
    bool Delete(K key, long timestamp, out VersionedRecord<V> previous);
}
