using System.Text;

namespace Streams.State.RocksDb;

/// <summary>Puts options of RocksDB's that the settings name into the notation of its options files, <c>name=value;name=value</c>, and refuses those that stores cannot live with.</summary>
internal static class RocksDbTuning
{
    // Each would lose entries, or the promise that the changelog offset is never ahead of them; and why.
    private static readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal)
    {
        ["comparator"] = "entries must be in the order of their bytes",
        ["merge_operator"] = "stores write whole values",
        ["compaction_filter"] = "stores delete by themselves",
        ["compaction_filter_factory"] = "stores delete by themselves",
        ["atomic_flush"] = "stores order their flushes by themselves",
        ["create_if_missing"] = "a store that is not there is made",
        ["create_missing_column_families"] = "a store that is not there is made",
        ["error_if_exists"] = "a store that is there is opened",
    };

    /// <summary>The options in RocksDB's notation.</summary>
    /// <exception cref="StateStoreException">One cannot be set, or is not a name and a value.</exception>
    public static string Describe(string store, IReadOnlyDictionary<string, string> options)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in options)
        {
            if (name.Length == 0 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or ':'))
                throw new StateStoreException($"Store '{store}': '{name}' is not the name of an option of RocksDB (RocksDbOptions, rocksdb.*).");
            if (_refused.TryGetValue(name, out var reason)) throw new StateStoreException($"Store '{store}': RocksDB's option {name} cannot be set (RocksDbOptions, rocksdb.*): {reason}.");
            if (string.IsNullOrWhiteSpace(value) || value.Contains('\0', StringComparison.Ordinal))
                throw new StateStoreException($"Store '{store}': RocksDB's option {name} (RocksDbOptions, rocksdb.*) has no value.");
            if (name == "compaction_style" && value.Contains("FIFO", StringComparison.OrdinalIgnoreCase))
                throw new StateStoreException($"Store '{store}': RocksDB's option compaction_style (RocksDbOptions, rocksdb.*) cannot be {value}, which deletes old entries: give the store a retention or a time to live instead.");

            // A list of options as a value stands in braces; without them its second one would be taken for an option of its own.
            var isNested = value.StartsWith('{') && value.EndsWith('}');
            text.Append(name).Append('=').Append(value.Contains(';', StringComparison.Ordinal) && !isNested ? $"{{{value}}}" : value).Append(';');
        }

        return text.ToString();
    }
}
