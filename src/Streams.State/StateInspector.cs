using System.Buffers.Binary;
using Streams.State.Bytes;
using Streams.State.RocksDb;
using Streams.State.Session;
using Streams.State.Versioned;
using Streams.State.Window;

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
public sealed record StoredEntry(ReadOnlyMemory<byte> Key, long? Timestamp, ReadOnlyMemory<byte> Value)
{
    /// <summary>The user's key: <see cref="Key"/> without what the kind of store puts behind it.</summary>
    public ReadOnlyMemory<byte> UserKey { get; init; } = Key;

    /// <summary>Begin of the window or session, or time from which a version holds, Unix milliseconds; <c>null</c> for other kinds.</summary>
    public long? From { get; init; }

    /// <summary>End of the session, or time until which a version holds, Unix milliseconds; <c>null</c> for other kinds (how long a window is, is not on disk), and for the latest version.</summary>
    public long? To { get; init; }

    /// <summary>Whether a versioned store has noted that there is no value from <see cref="From"/> on; <see cref="Value"/> is then empty.</summary>
    public bool IsDeletion { get; init; }
}

/// <summary>
/// Looks into the persistent stores of an application that is not running. What lies on disk is a commit, which may be older than the last one (docs/adr/0008): the
/// changelog has the rest.
/// </summary>
public static class StateInspector
{
    private const int SegmentBytes = sizeof(ulong);
    private const int WindowSuffixBytes = WindowStore<byte[], byte[]>.SuffixBytes;
    private const int SessionSuffixBytes = SessionStore<byte[], byte[]>.SuffixBytes;
    private const int VersionPrefixBytes = (2 * sizeof(long)) + 1;

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
        using var iterator = engine.Iterate();
        for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next()) yield return Entry(engine.Kind, iterator.Key, iterator.Value);
    }

    // What is shorter than its kind allows is shown as it is, rather than not at all.
    private static StoredEntry Entry(string kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (IsOf(kind, "versioned-key-value")) return Version(key, value);
        if (kind.Contains(RocksDbEngine.SegmentsOf, StringComparison.Ordinal) && key.Length >= SegmentBytes) key = key[SegmentBytes..];
        long? timestamp = null;
        if (kind.StartsWith("timestamped-", StringComparison.Ordinal) && value.Length >= sizeof(long))
        {
            timestamp = BinaryPrimitives.ReadInt64BigEndian(value);
            value = value[sizeof(long)..];
        }

        var logged = key.ToArray();
        var entry = new StoredEntry(logged, timestamp, value.ToArray());
        if ((IsOf(kind, "window") || IsOf(kind, "timestamped-window")) && key.Length >= WindowSuffixBytes)
            return entry with { UserKey = logged.AsMemory(..^WindowSuffixBytes), From = BinaryPrimitives.ReadInt64BigEndian(key[^WindowSuffixBytes..]) };
        if (!IsOf(kind, "session") || key.Length < SessionSuffixBytes) return entry;
        return entry with
        {
            UserKey = logged.AsMemory(..^SessionSuffixBytes),
            From = BinaryPrimitives.ReadInt64BigEndian(key[^sizeof(long)..]),
            To = BinaryPrimitives.ReadInt64BigEndian(key[^SessionSuffixBytes..]),
        };
    }

    // The latest version of a key has nothing behind it; older ones, and deletions, have the time from which they hold.
    private static StoredEntry Version(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var isLatest = key.Length >= SegmentBytes && BinaryPrimitives.ReadUInt64BigEndian(key) == TableStore<StoredVersion>.LastingSegment;
        if (key.Length >= SegmentBytes) key = key[SegmentBytes..];
        var logged = key.ToArray();
        if (value.Length < VersionPrefixBytes || value[VersionPrefixBytes - 1] > 1 || (!isLatest && key.Length < sizeof(long))) return new StoredEntry(logged, null, value.ToArray());
        var version = new StoredVersionCodec().Read(value);
        return new StoredEntry(logged, version.From, version.Value)
        {
            UserKey = isLatest ? logged : logged.AsMemory(..^sizeof(long)),
            From = version.From,
            To = version.To == StoredVersion.Latest ? null : version.To,
            IsDeletion = !version.HasValue,
        };
    }

    // A kind may say more behind its name: duplicates, how long segments are.
    private static bool IsOf(string kind, string name) => kind.StartsWith(name, StringComparison.Ordinal) && (kind.Length == name.Length || kind[name.Length] is ' ' or ',');
}
