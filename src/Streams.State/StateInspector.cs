using System.Buffers.Binary;
using Streams.State.RocksDb;

namespace Streams.State;

/// <summary>A store in an application's local state.</summary>
/// <param name="Name">Name of the store.</param>
/// <param name="Task">Its task; <c>null</c> for a global store.</param>
/// <param name="Path">Its folder.</param>
public sealed record StoredStore(string Name, TaskId? Task, string Path);

/// <summary>What a store is, and how far.</summary>
/// <param name="Kind">What its bytes are, such as <c>timestamped-key-value</c>.</param>
/// <param name="ChangelogOffset">Offset of the next changelog record that it does not have; <c>null</c> when it is not known.</param>
/// <param name="StreamTime">Largest time it has seen, Unix milliseconds; -1 for none.</param>
/// <param name="EstimatedCount">About how many entries it has.</param>
public sealed record StoredStoreDescription(string Kind, long? ChangelogOffset, long StreamTime, long EstimatedCount);

/// <summary>An entry as it lies on disk.</summary>
/// <param name="Key">Key as the changelog has it: of windowed stores with time and sequence number behind it.</param>
/// <param name="Timestamp">Time of the value, Unix milliseconds, where the kind of store keeps one.</param>
/// <param name="Value">Value without its timestamp.</param>
public sealed record StoredEntry(ReadOnlyMemory<byte> Key, long? Timestamp, ReadOnlyMemory<byte> Value);

/// <summary>
/// Looks into the persistent stores of an application that is not running. What lies on disk is a commit, which may be older than the last one (docs/adr/0008): the
/// changelog has the rest.
/// </summary>
public static class StateInspector
{
    private const int SegmentBytes = sizeof(ulong);

    /// <summary>The stores of an application, by task and name.</summary>
    /// <param name="stateDirectory">The <c>state.dir</c>.</param>
    /// <param name="applicationId">The application.</param>
    public static IReadOnlyList<StoredStore> List(string stateDirectory, string applicationId)
    {
        ArgumentException.ThrowIfNullOrEmpty(stateDirectory);
        ArgumentException.ThrowIfNullOrEmpty(applicationId);
        var root = System.IO.Path.Combine(stateDirectory, applicationId);
        if (!Directory.Exists(root)) return [];
        var stores = new List<StoredStore>();
        foreach (var folder in Directory.EnumerateDirectories(root))
        {
            if (TaskId.TryParse(System.IO.Path.GetFileName(folder), out var task)) Add(folder, task);
        }

        stores = [.. stores.OrderBy(store => store.Task).ThenBy(store => store.Name, StringComparer.Ordinal)];
        var globals = System.IO.Path.Combine(root, "global");
        if (Directory.Exists(globals))
        {
            foreach (var folder in Directory.EnumerateDirectories(globals).Order(StringComparer.Ordinal)) Add(folder, null);
        }

        return stores;

        void Add(string folder, TaskId? task)
        {
            var databases = System.IO.Path.Combine(folder, "rocksdb");
            if (!Directory.Exists(databases)) return;
            foreach (var path in Directory.EnumerateDirectories(databases)) stores.Add(new StoredStore(System.IO.Path.GetFileName(path), task, path));
        }
    }

    /// <summary>Says what a store is.</summary>
    /// <exception cref="StateStoreException">It is in use, or cannot be read.</exception>
    public static StoredStoreDescription Describe(StoredStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        using var engine = RocksDbEngine.OpenExisting(store.Path);
        return new StoredStoreDescription(engine.Kind, engine.Offset, engine.StreamTime, engine.EstimateCount());
    }

    /// <summary>The entries of a store in the order of their bytes, read as they are asked for; the store is open until the sequence is disposed of.</summary>
    /// <exception cref="StateStoreException">It is in use, or cannot be read.</exception>
    public static IEnumerable<StoredEntry> Read(StoredStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return Entries(store);
    }

    private static IEnumerable<StoredEntry> Entries(StoredStore store)
    {
        using var engine = RocksDbEngine.OpenExisting(store.Path);
        var isSegmented = engine.Kind is not ("key-value" or "timestamped-key-value");
        var isTimestamped = engine.Kind.StartsWith("timestamped-", StringComparison.Ordinal);
        using var iterator = engine.Iterate();
        for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next()) yield return Entry(iterator.Key, iterator.Value, isSegmented, isTimestamped);
    }

    // What is shorter than its kind allows is shown as it is, rather than not at all.
    private static StoredEntry Entry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool isSegmented, bool isTimestamped)
    {
        if (isSegmented && key.Length >= SegmentBytes) key = key[SegmentBytes..];
        if (!isTimestamped || value.Length < sizeof(long)) return new StoredEntry(key.ToArray(), null, value.ToArray());
        return new StoredEntry(key.ToArray(), BinaryPrimitives.ReadInt64BigEndian(value), value[sizeof(long)..].ToArray());
    }
}
