using System.Text;

namespace Broker.Lite.Host;

/// <summary>
/// Files in the form of Java's properties, such as Kafka's <c>server.properties</c>: <c>name=value</c> lines, <c>#</c> and <c>!</c> for
/// comments, backslashes for escapes and for going on in the next line.
/// </summary>
internal static class ServerProperties
{
    /// <summary>Nobody writes longer files of settings.</summary>
    private const int MaxLength = 1024 * 1024;

    /// <summary>Reads the settings; the last value of a name counts, as in Java.</summary>
    /// <exception cref="FormatException">An escape is wrong, or the text is too long.</exception>
    public static Dictionary<string, string> Parse(string text)
    {
        if (text.Length > MaxLength)
            throw new FormatException($"more than {MaxLength} characters");
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in LogicalLines(text))
        {
            var end = 0;
            while (end < line.Length && line[end] is not ('=' or ':') && !char.IsWhiteSpace(line[end]))
                end += line[end] == '\\' ? 2 : 1;
            end = Math.Min(end, line.Length);
            var value = line.AsSpan(end).TrimStart();
            if (value.Length > 0 && value[0] is '=' or ':')
                value = value[1..].TrimStart();
            settings[Unescape(line.AsSpan(0, end))] = Unescape(value);
        }

        return settings;
    }

    private static IEnumerable<string> LogicalLines(string text)
    {
        var whole = new StringBuilder();
        var goesOn = false;
        foreach (var natural in text.Split('\n'))
        {
            var line = natural.TrimEnd('\r').TrimStart();
            if (!goesOn && (line.Length == 0 || line[0] is '#' or '!'))
                continue;
            var backslashes = line.Length - line.TrimEnd('\\').Length;
            goesOn = backslashes % 2 == 1;
            whole.Append(goesOn ? line.AsSpan(0, line.Length - 1) : line);
            if (goesOn)
                continue;
            yield return whole.ToString();
            whole.Clear();
        }

        if (whole.Length > 0)
            yield return whole.ToString();
    }

    private static string Unescape(ReadOnlySpan<char> text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            switch (text[++i])
            {
                case 't':
                    result.Append('\t');
                    break;
                case 'n':
                    result.Append('\n');
                    break;
                case 'r':
                    result.Append('\r');
                    break;
                case 'f':
                    result.Append('\f');
                    break;
                case 'u':
                    if (i + 4 >= text.Length || !ushort.TryParse(text.Slice(i + 1, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code))
                        throw new FormatException("an escape \\u has not four digits");
                    result.Append((char)code);
                    i += 4;
                    break;
                default:
                    result.Append(text[i]);
                    break;
            }
        }

        return result.ToString();
    }
}
