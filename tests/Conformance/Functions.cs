using System.Globalization;
using System.Numerics;

namespace Conformance;

/// <summary>The predicates, functions, aggregators and reducers of the case format. Texts print as in Java: an absent one as <c>null</c>.</summary>
internal static class Functions
{
    private const string Null = "null";

    public static Func<string, string, bool> Predicate(Fields fields)
    {
        var name = fields.Text("fn");
        Func<string, string, bool> predicate;
        switch (name)
        {
            case "keyEq":
                var wanted = fields.Text("arg");
                predicate = (key, _) => key == wanted;
                break;
            case "keyNotNull":
                predicate = static (key, _) => key is not null;
                break;
            case "valueContains":
                var part = fields.Text("arg");
                predicate = (_, value) => value is not null && value.Contains(part, StringComparison.Ordinal);
                break;
            case "valueLenGt":
                var length = int.Parse(fields.Text("arg"), CultureInfo.InvariantCulture);
                predicate = (_, value) => value is not null && value.Length > length;
                break;
            case "valueNotNull":
                predicate = static (_, value) => value is not null;
                break;
            case "valueIsNull":
                predicate = static (_, value) => value is null;
                break;
            case "true":
                predicate = static (_, _) => true;
                break;
            case "false":
                predicate = static (_, _) => false;
                break;
            default:
                throw fields.Unknown("predicate", name);
        }

        fields.RequireAllRead();
        return predicate;
    }

    public static Func<string, string, string> Function(Fields fields)
    {
        var name = fields.Text("fn");
        Func<string, string, string?> function;
        switch (name)
        {
            case "key":
                function = static (key, _) => key;
                break;
            case "value":
                function = static (_, value) => value;
                break;
            case "const":
                var constant = fields.Text("arg");
                function = (_, _) => constant;
                break;
            case "null":
                function = static (_, _) => null;
                break;
            case "upper":
                function = static (_, value) => value?.ToUpperInvariant();
                break;
            case "append":
                var suffix = fields.Text("arg");
                function = (_, value) => value is null ? null : value + suffix;
                break;
            case "keyAppend":
                var keySuffix = fields.Text("arg");
                function = (key, _) => key is null ? null : key + keySuffix;
                break;
            case "keyValue":
                function = static (key, value) => $"{key ?? Null}:{value ?? Null}";
                break;
            case "firstChar":
                function = static (_, value) => string.IsNullOrEmpty(value) ? null : value[..1];
                break;
            case "lastChar":
                function = static (_, value) => string.IsNullOrEmpty(value) ? null : value[^1..];
                break;
            case "nullIfContains":
                var part = fields.Text("arg");
                function = (_, value) => value is null || value.Contains(part, StringComparison.Ordinal) ? null : value;
                break;
            case "length":
                function = static (_, value) => value?.Length.ToString(CultureInfo.InvariantCulture);
                break;
            case "before":
                var separator = fields.Text("arg");
                function = (_, value) => value?.Split(separator, 2)[0];
                break;
            default:
                throw fields.Unknown("function", name);
        }

        fields.RequireAllRead();

        // The library takes functions over its own notion of text; null stands for absent in both.
        return function!;
    }

    public static Func<string, string, string, string> Aggregator(Fields fields, string name) => name switch
    {
        "concat" => static (_, value, aggregate) => (aggregate ?? Null) + (value ?? Null),
        "concatKey" => static (key, value, aggregate) => (aggregate ?? Null) + (key ?? Null) + (value ?? Null),
        "remove" => static (_, value, aggregate) => $"{aggregate ?? Null}-{value ?? Null}",
        "add" => static (_, value, aggregate) => $"{aggregate ?? Null}+{value ?? Null}",
        "countText" => static (_, _, aggregate) =>
            (string.IsNullOrEmpty(aggregate) ? BigInteger.One : BigInteger.Parse(aggregate, CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture),
        "nullOnX" => static (_, value, aggregate) => ContainsX(value) ? null! : (aggregate ?? "") + (value ?? Null),
        _ => throw fields.Unknown("aggregator", name),
    };

    public static Func<string, string, string> Reducer(Fields fields, string name) => name switch
    {
        "concat" => static (x, y) => (x ?? Null) + (y ?? Null),
        "max" => static (x, y) => string.CompareOrdinal(x, y) >= 0 ? x : y,
        "last" => static (_, y) => y,
        "minus" => static (x, y) => $"{x ?? Null}-{y ?? Null}",
        "nullOnX" => static (x, y) => ContainsX(y) ? null! : (x ?? Null) + (y ?? Null),
        _ => throw fields.Unknown("reducer", name),
    };

    public static string Join(string? left, string? right) => $"{left ?? Null}|{right ?? Null}";

    public static string Concatenate(string? one, string? other) => (one ?? Null) + (other ?? Null);

    /// <summary>Splits on commas as Java's <c>String.split</c>: empty parts are kept, trailing empty ones dropped, but a text without commas is itself.</summary>
    public static IReadOnlyList<string> Parts(string value)
    {
        if (value is null) return [];
        var parts = value.Split(',');
        if (parts.Length == 1) return parts;
        var count = parts.Length;
        while (count > 0 && parts[count - 1].Length == 0) count--;
        return parts[..count];
    }

    private static bool ContainsX(string? value) => value is not null && value.Contains('x', StringComparison.Ordinal);
}
