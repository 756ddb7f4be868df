using System.Buffers;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Streams.Core;
using Streams.Dsl.Joins.ForeignKey;

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

    // The recordings list key-value stores, window stores whose values carry timestamps, and the store of a left or outer join.
    private static IReadOnlyList<string>? Read(IStateStore store) =>
        Read(store, typeof(IKeyValueStore<,>), nameof(ReadKeyValue)) ?? Read(store, typeof(ITimestampedWindowStore<,>), nameof(ReadWindows))
        ?? (store is IOuterJoinStore<string, string, string> waiting ? ReadWaiting(waiting) : null);

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

    // Keys and values as Kafka Streams prints its own types: time-stamped key with its side, and value with its side.
    private static List<string> ReadWaiting(IOuterJoinStore<string, string, string> store)
    {
        var rows = new List<string>();
        using var waiting = store.All();
        while (waiting.MoveNext())
        {
            var side = waiting.IsLeft ? "left" : "right";
            rows.Add(Row($"<{side},{waiting.Key}:{waiting.Timestamp}>", $"<{side},{(waiting.IsLeft ? waiting.Left : waiting.Right)}>"));
        }

        return rows;
    }

    // Kafka Streams keys the subscriptions of a foreign-key join by bytes, which it prints as text where they are printable.
    private static string Text(CombinedKey<string, string> key)
    {
        var bytes = new ArrayBufferWriter<byte>();
        new CombinedKeySerde<string, string>(Serdes.String, Serdes.String).Serialize(key, bytes);
        var text = new StringBuilder();
        foreach (var unit in bytes.WrittenSpan)
        {
            if (unit is >= 0x20 and <= 0x7e and not (byte)'\\') text.Append((char)unit);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{unit:X2}");
        }

        return text.ToString();
    }

    private static string Text(Subscription<string> subscription)
    {
        var instruction = subscription.Instruction switch
        {
            SubscriptionInstruction.DeleteKeyNoPropagate => "DELETE_KEY_NO_PROPAGATE",
            SubscriptionInstruction.DeleteKeyAndPropagate => "DELETE_KEY_AND_PROPAGATE",
            SubscriptionInstruction.PropagateNullIfNoForeignValue => "PROPAGATE_NULL_IF_NO_FK_VAL_AVAILABLE",
            _ => "PROPAGATE_ONLY_IF_FK_VAL_AVAILABLE",
        };
        var hash = subscription.Hash is { } value ? $"[{(long)value.High}, {(long)value.Low}]" : "null";
        return $"SubscriptionWrapper{{version=1, primaryKey={subscription.PrimaryKey}, instruction={instruction}, hash={hash}, primaryPartition={subscription.PrimaryPartition}}}";
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        CombinedKey<string, string> key => Text(key),
        Subscription<string> subscription => Text(subscription),
        _ when value.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ValueAndTimestamp<>) =>
            $"{Text(type.GetProperty("Value")!.GetValue(value)) ?? "null"}~{type.GetProperty("Timestamp")!.GetValue(value)}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static string Row(string? key, string? value) => $"[{key ?? "null"}, {value ?? "null"}]";
}
