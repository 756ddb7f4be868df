using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Streams.Core;

namespace Conformance;

/// <summary>Contents of stores as the cases write them.</summary>
internal static class StoreDump
{
    /// <summary>Names that the library gives by itself; the recordings list only stores named otherwise.</summary>
    private static readonly string[] _generated = ["KSTREAM-", "KTABLE-", "COGROUPKSTREAM-"];

    public static string ParseRow(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Array || row.GetArrayLength() != 2) throw new CaseFormatException($"store row is {row.GetRawText()}, not [key, value]");
        return Row(row[0].GetString(), row[1].GetString());
    }

    /// <summary>Rows of every store that the recordings list.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Of(IReadOnlyDictionary<string, IStateStore> stores)
    {
        var result = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (name, store) in stores)
        {
            if (!_generated.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) && Read(store) is { } rows) result.Add(name, rows);
        }

        return result;
    }

    // The recordings list key-value stores, and window stores whose values carry timestamps.
    private static IReadOnlyList<string>? Read(IStateStore store) =>
        Read(store, typeof(IKeyValueStore<,>), nameof(ReadKeyValue)) ?? Read(store, typeof(ITimestampedWindowStore<,>), nameof(ReadWindows));

    private static IReadOnlyList<string>? Read(IStateStore store, Type kind, string method)
    {
        var type = store.GetType().GetInterfaces().FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == kind);
        if (type is null) return null;
        var read = typeof(StoreDump).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type.GetGenericArguments());
        return (IReadOnlyList<string>)read.Invoke(null, [store])!;
    }

    private static IReadOnlyList<string> ReadKeyValue<K, V>(IKeyValueStore<K, V> store) =>
        [.. store.All().AsEnumerable().Select(entry => Row(Text(entry.Key), Text(entry.Value)))];

    private static IReadOnlyList<string> ReadWindows<K, V>(ITimestampedWindowStore<K, V> store) =>
        [.. store.All().AsEnumerable().Select(entry => Row($"{Text(entry.Key.Key)}@{entry.Key.Window}", Text(entry.Value)))];

    private static string? Text(object? value) => value switch
    {
        null => null,
        _ when value.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ValueAndTimestamp<>) =>
            $"{Text(type.GetProperty("Value")!.GetValue(value)) ?? "null"}~{type.GetProperty("Timestamp")!.GetValue(value)}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static string Row(string? key, string? value) => $"[{key ?? "null"}, {value ?? "null"}]";
}
