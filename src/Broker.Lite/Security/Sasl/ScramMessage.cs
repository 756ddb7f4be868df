using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>Attributes of SCRAM messages: <c>letter=value</c>, comma-separated (RFC 5802).</summary>
internal static class ScramMessage
{
    /// <summary>The longest message looked at: names and nonces are short.</summary>
    public const int MaxBytes = 8192;

    /// <summary>Takes the value of the attribute that must come next, and moves over its comma.</summary>
    /// <exception cref="SaslException">Another attribute or none is there.</exception>
    public static string Take(ref string rest, char letter)
    {
        if (rest.Length < 2 || rest[0] != letter || rest[1] != '=')
            throw new SaslException($"Invalid SASL/SCRAM message: attribute {letter} is missing");
        var comma = rest.IndexOf(',', StringComparison.Ordinal);
        var value = comma < 0 ? rest[2..] : rest[2..comma];
        rest = comma < 0 ? "" : rest[(comma + 1)..];
        return value;
    }

    /// <summary>Takes base 64.</summary>
    /// <exception cref="SaslException">It is not.</exception>
    public static byte[] TakeBytes(ref string rest, char letter)
    {
        var text = Take(ref rest, letter);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : throw new SaslException($"Invalid SASL/SCRAM message: attribute {letter} is not base 64");
    }

    /// <summary>A name as it stands in a message, where comma and equals sign are written as codes.</summary>
    public static string Escape(string name) => name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <summary>The name behind its written form.</summary>
    /// <exception cref="SaslException">An equals sign stands for itself.</exception>
    public static string Unescape(string written)
    {
        var name = new StringBuilder(written.Length);
        for (var i = 0; i < written.Length; i++)
        {
            if (written[i] != '=')
            {
                name.Append(written[i]);
                continue;
            }

            var code = i + 3 <= written.Length ? written.AsSpan(i, 3) : default;
            name.Append(code is "=2C" ? ',' : code is "=3D" ? '=' : throw new SaslException("Invalid SASL/SCRAM message: the user name is not encoded as it should be"));
            i += 2;
        }

        return name.ToString();
    }
}
