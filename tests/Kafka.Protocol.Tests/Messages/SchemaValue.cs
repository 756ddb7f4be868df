using System.Globalization;
using System.Text;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>
/// Values of the schema's fields, without the message classes: structs are dictionaries by field name, arrays are lists, bytes are byte
/// arrays. Makes random ones and encodes them as the protocol guide says.
/// </summary>
internal static class SchemaValue
{
    public static object? Default(SchemaField field)
    {
        if (field.Default == "null")
            return null;
        if (field.IsArray)
            return new List<object?>();
        if (field.IsStruct)
            return field.Tag is not null || field.Nullable.Min != int.MaxValue ? null : DefaultStruct(field.Fields);
        return field.Type switch
        {
            "bool" => field.Default == "true",
            "int8" => checked((sbyte)Number(field.Default)),
            "int16" => checked((short)Number(field.Default)),
            "int32" => checked((int)Number(field.Default)),
            "int64" => Number(field.Default),
            "float64" => 0d,
            "uuid" => Guid.Empty,
            "string" => field.Default ?? string.Empty,
            "bytes" => Array.Empty<byte>(),
            "records" => null,
            _ => throw new InvalidOperationException(field.ToString()),
        };
    }

    public static Dictionary<string, object?> DefaultStruct(List<SchemaField> fields) =>
        fields.ToDictionary(f => f.Name, Default, StringComparer.Ordinal);

    /// <summary>A value for each field: random for those of the version, the default for the others.</summary>
    public static Dictionary<string, object?> RandomStruct(List<SchemaField> fields, int version, Random random, int depth = 0) =>
        fields.ToDictionary(f => f.Name, f => f.Versions.Contains(version) ? RandomField(f, version, random, depth) : Default(f), StringComparer.Ordinal);

    /// <summary>A value that differs from the field's default.</summary>
    public static object NonDefault(SchemaField field)
    {
        if (field.IsArray)
            return new List<object?> { field.IsStruct ? DefaultStruct(field.Fields) : ScalarBut(field.Type, null) };
        return field.IsStruct ? DefaultStruct(field.Fields) : ScalarBut(field.Type, Default(field));
    }

    public static byte[] Encode(SchemaMessage message, Dictionary<string, object?> value, int version, Random? unknownTags = null)
    {
        var output = new MemoryStream();
        EncodeStruct(output, message.Fields, value, version, message.Flexible.Contains(version), unknownTags);
        return output.ToArray();
    }

    /// <summary>Null if both are the same, else where they differ.</summary>
    public static string? Difference(object? expected, object? actual, string path)
    {
        switch (expected, actual)
        {
            case (null, null):
                return null;
            case (Dictionary<string, object?> a, Dictionary<string, object?> b):
                return a.Count != b.Count
                    ? $"{path}: {a.Count} fields against {b.Count}"
                    : a.Select(pair => Difference(pair.Value, b[pair.Key], $"{path}.{pair.Key}")).FirstOrDefault(d => d is not null);
            case (List<object?> a, List<object?> b):
                return a.Count != b.Count
                    ? $"{path}: {a.Count} elements against {b.Count}"
                    : a.Select((item, i) => Difference(item, b[i], $"{path}[{i}]")).FirstOrDefault(d => d is not null);
            case (byte[] a, byte[] b):
                return a.AsSpan().SequenceEqual(b) ? null : $"{path}: bytes differ";
            default:
                return Equals(expected, actual) ? null : $"{path}: expected {expected ?? "null"}, got {actual ?? "null"}";
        }
    }

    private static object? RandomField(SchemaField field, int version, Random random, int depth)
    {
        var dice = random.Next(10);
        if (dice == 0)
        {
            var value = Default(field);
            if (value is not null || field.Nullable.Contains(version) || field.Tag is not null)
                return value;
        }

        if (dice <= 2 && field.Nullable.Contains(version))
            return null;
        if (!field.IsArray)
            return field.IsStruct ? RandomStruct(field.Fields, version, random, depth + 1) : RandomScalar(field.Type, random);
        var count = field.IsStruct ? random.Next(4 - Math.Min(depth, 2)) : random.Next(10) == 0 ? 200 : random.Next(5);
        var list = new List<object?>();
        for (var i = 0; i < count; i++)
            list.Add(field.IsStruct ? RandomStruct(field.Fields, version, random, depth + 1) : RandomScalar(field.Type, random));
        return list;
    }

    private static object RandomScalar(string type, Random random) => type switch
    {
        "bool" => random.Next(2) == 0,
        "int8" => (sbyte)random.Next(sbyte.MinValue, sbyte.MaxValue + 1),
        "int16" => (short)random.Next(short.MinValue, short.MaxValue + 1),
        "int32" => random.Next(int.MinValue, int.MaxValue),
        "int64" => random.NextInt64(long.MinValue, long.MaxValue),
        "float64" => random.NextDouble() * 1e9,
        "uuid" => NewGuid(random),
        "string" => RandomString(random),
        "bytes" or "records" => RandomBytes(random, random.Next(5) switch { 0 => 0, 1 => 3000, _ => random.Next(200) }),
        _ => throw new InvalidOperationException(type),
    };

    private static object ScalarBut(string type, object? taken) => type switch
    {
        "bool" => taken is not true,
        "int8" => (sbyte)77,
        "int16" => (short)77,
        "int32" => 77,
        "int64" => 77L,
        "float64" => 77d,
        "uuid" => new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        "string" => "seventy-seven",
        "bytes" or "records" => new byte[] { 77 },
        _ => throw new InvalidOperationException(type),
    };

    private static Guid NewGuid(Random random)
    {
        var bytes = RandomBytes(random, 16);
        return new Guid(bytes);
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string RandomString(Random random) => random.Next(6) switch
    {
        0 => string.Empty,
        1 => "größe-…-\U0001F600",
        2 => new string('x', random.Next(100, 300)),
        _ => "name-" + random.Next(1000).ToString(CultureInfo.InvariantCulture),
    };

    private static long Number(string? text) => text is null
        ? 0
        : text.StartsWith("0x", StringComparison.Ordinal)
            ? long.Parse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.Parse(text, CultureInfo.InvariantCulture);

    private static void EncodeStruct(
        MemoryStream output,
        List<SchemaField> fields,
        Dictionary<string, object?> value,
        int version,
        bool compact,
        Random? unknownTags)
    {
        var present = fields.Where(f => f.Versions.Contains(version)).ToList();
        foreach (var field in present.Where(f => f.Tag is null))
            EncodeField(output, field, value[field.Name], version, compact, unknownTags);
        if (!compact)
            return;

        var tagged = new List<(uint Tag, byte[] Content)>();
        foreach (var field in present.Where(f => f.Tag is not null && Difference(Default(f), value[f.Name], string.Empty) is not null))
        {
            var content = new MemoryStream();
            EncodeField(content, field, value[field.Name], version, compact, unknownTags);
            tagged.Add(((uint)field.Tag!.Value, content.ToArray()));
        }

        for (var left = unknownTags?.Next(3) ?? 0; left > 0; left--)
            tagged.Add(((uint)unknownTags!.Next(1000, 100_000) * 4 + (uint)left, RandomBytes(unknownTags, unknownTags.Next(200))));
        Varint(output, (uint)tagged.Count);
        foreach (var (tag, content) in tagged.OrderBy(t => t.Tag))
        {
            Varint(output, tag);
            Varint(output, (uint)content.Length);
            output.Write(content);
        }
    }

    private static void EncodeField(MemoryStream output, SchemaField field, object? value, int version, bool compact, Random? unknownTags)
    {
        if (field.IsArray)
        {
            var list = (List<object?>?)value;
            Length(output, list?.Count ?? -1, compact, 4);
            foreach (var item in list ?? [])
            {
                if (field.IsStruct)
                    EncodeStruct(output, field.Fields, (Dictionary<string, object?>)item!, version, compact, unknownTags);
                else
                    EncodeScalar(output, field.Type, item, compact);
            }
        }
        else if (field.IsStruct)
        {
            if (field.Tag is null && field.Nullable.Contains(version))
                output.WriteByte(value is null ? (byte)0xFF : (byte)1);
            if (value is not null)
                EncodeStruct(output, field.Fields, (Dictionary<string, object?>)value, version, compact, unknownTags);
        }
        else
        {
            EncodeScalar(output, field.Type, value, compact);
        }
    }

    private static void EncodeScalar(MemoryStream output, string type, object? value, bool compact)
    {
        switch (type)
        {
            case "bool":
                output.WriteByte((bool)value! ? (byte)1 : (byte)0);
                break;
            case "int8":
                output.WriteByte((byte)(sbyte)value!);
                break;
            case "int16":
                BigEndian(output, (ulong)(ushort)(short)value!, 2);
                break;
            case "int32":
                BigEndian(output, (uint)(int)value!, 4);
                break;
            case "int64":
                BigEndian(output, (ulong)(long)value!, 8);
                break;
            case "float64":
                BigEndian(output, (ulong)BitConverter.DoubleToInt64Bits((double)value!), 8);
                break;
            case "uuid":
                output.Write(Convert.FromHexString(((Guid)value!).ToString("N")));
                break;
            case "string":
                var text = value is null ? null : Encoding.UTF8.GetBytes((string)value);
                Length(output, text?.Length ?? -1, compact, 2);
                output.Write(text ?? []);
                break;
            case "bytes" or "records":
                Length(output, ((byte[]?)value)?.Length ?? -1, compact, 4);
                output.Write((byte[]?)value ?? []);
                break;
            default:
                throw new InvalidOperationException(type);
        }
    }

    private static void Length(MemoryStream output, int length, bool compact, int width)
    {
        if (compact)
            Varint(output, (uint)(length + 1));
        else
            BigEndian(output, (ulong)length, width);
    }

    private static void BigEndian(MemoryStream output, ulong value, int width)
    {
        for (var shift = (width - 1) * 8; shift >= 0; shift -= 8)
            output.WriteByte((byte)(value >> shift));
    }

    private static void Varint(MemoryStream output, uint value)
    {
        for (; value > 0x7F; value >>= 7)
            output.WriteByte((byte)(0x80 | (value & 0x7F)));
        output.WriteByte((byte)value);
    }
}
