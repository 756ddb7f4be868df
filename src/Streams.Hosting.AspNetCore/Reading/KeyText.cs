using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Hosting.AspNetCore.Reading;

/// <summary>Reads keys from the text of a URL.</summary>
internal static class KeyText
{
    /// <summary>What the text says, in the notation that suits the type; JSON for types that have none.</summary>
    /// <exception cref="FormatException">The text is not such a key.</exception>
    public static K Parse<K>(string text, Lazy<JsonTypeInfo<K>> json)
        where K : notnull
    {
        try
        {
            var type = typeof(K);
            if (type == typeof(string)) return (K)(object)text;
            if (type == typeof(char)) return (K)(object)char.Parse(text);
            if (type == typeof(bool)) return (K)(object)bool.Parse(text);
            if (type == typeof(Guid)) return (K)(object)Guid.Parse(text);
            if (type == typeof(DateTimeOffset)) return (K)(object)DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            if (type == typeof(DateTime)) return (K)(object)DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
            if (type == typeof(DateOnly)) return (K)(object)DateOnly.Parse(text, CultureInfo.InvariantCulture);
            if (type == typeof(TimeOnly)) return (K)(object)TimeOnly.Parse(text, CultureInfo.InvariantCulture);
            if (type == typeof(TimeSpan)) return (K)(object)TimeSpan.Parse(text, CultureInfo.InvariantCulture);
            if (type == typeof(decimal)) return (K)(object)decimal.Parse(text, NumberStyles.Number & ~NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
            if (type == typeof(double)) return (K)(object)double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            if (type == typeof(float)) return (K)(object)float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            if (type == typeof(long)) return (K)(object)long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            if (type == typeof(int)) return (K)(object)int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            if (type == typeof(short)) return (K)(object)short.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            if (type == typeof(sbyte)) return (K)(object)sbyte.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            if (type == typeof(ulong)) return (K)(object)ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            if (type == typeof(uint)) return (K)(object)uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            if (type == typeof(ushort)) return (K)(object)ushort.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            if (type == typeof(byte)) return (K)(object)byte.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            if (type.IsEnum)
            {
                return Enum.TryParse(type, text, ignoreCase: true, out var member) && Enum.IsDefined(type, member)
                    ? (K)member
                    : throw new FormatException($"one of {string.Join(", ", Enum.GetNames(type))} is expected");
            }

            return JsonSerializer.Deserialize(text, json.Value) ?? throw new FormatException("null is not a key");
        }
        catch (Exception failure) when (failure is OverflowException or JsonException or ArgumentException)
        {
            throw new FormatException(failure.Message, failure);
        }
    }
}
