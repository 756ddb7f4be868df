using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Broker.Lite.Security.Sasl;

/// <summary>
/// Decides about signed tokens (RFC 7519): signature by a configured key, issuer, audience, validity with clock skew, and the subject's
/// name. Tokens must expire.
/// </summary>
internal sealed class JwtValidator(JwtKeys keys, string issuer, IReadOnlyList<string> audiences, string subjectClaim, TimeSpan skew, TimeProvider time)
{
    /// <summary>No token is looked at that is longer.</summary>
    private const int MaxLength = 32 * 1024;

    public bool TryValidate(string token, [NotNullWhen(true)] out string? user, out DateTimeOffset validUntil, [NotNullWhen(false)] out string? fault)
    {
        user = null;
        validUntil = default;
        try
        {
            fault = Check(token, out user, out validUntil);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            // Anything may be in there; how exactly it is malformed is nobody's business.
            fault = "it is malformed";
        }

        if (fault is not null)
            user = null;
        return fault is null && user is not null;
    }

    private string? Check(string token, out string? user, out DateTimeOffset validUntil)
    {
        user = null;
        validUntil = default;
        if (token.Length > MaxLength)
            return "it is too long";
        var firstDot = token.IndexOf('.', StringComparison.Ordinal);
        var lastDot = token.LastIndexOf('.');
        if (firstDot <= 0 || lastDot == firstDot || token.AsSpan(firstDot + 1, lastDot - firstDot - 1).Contains('.'))
            return "it has not three parts";

        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(0, firstDot)));
        var algorithm = TextOf(header.RootElement, "alg");
        if (algorithm is not ("RS256" or "ES256"))
            return "its algorithm is neither RS256 nor ES256";
        if (header.RootElement.TryGetProperty("crit", out _))
            return "it demands extensions";
        var signed = Encoding.ASCII.GetBytes(token, 0, lastDot);
        if (!keys.Verify(algorithm, TextOf(header.RootElement, "kid"), signed, Base64Url.DecodeFromChars(token.AsSpan(lastDot + 1))))
            return "its signature is wrong";

        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(firstDot + 1, lastDot - firstDot - 1)));
        var root = claims.RootElement;
        var now = time.GetUtcNow();
        if (SecondsOf(root, "exp") is not { } expires)
            return "it does not say when it expires";
        if (now >= expires + skew)
            return "it has expired";
        if (SecondsOf(root, "nbf") is { } notBefore && now < notBefore - skew)
            return "it is not valid yet";
        if (SecondsOf(root, "iat") is { } issued && now < issued - skew)
            return "it was issued in the future";
        if (issuer.Length > 0 && TextOf(root, "iss") != issuer)
            return "it is another issuer's";
        if (audiences.Count > 0 && !AudiencesOf(root).Any(audiences.Contains))
            return "it is for another audience";
        user = TextOf(root, subjectClaim);
        if (string.IsNullOrEmpty(user))
            return "it does not say whose it is";
        validUntil = expires;
        return null;
    }

    private static string? TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? SecondsOf(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
            return null;
        var seconds = value.GetDouble();
        var max = DateTimeOffset.MaxValue.ToUnixTimeSeconds() - TimeSpan.SecondsPerDay;
        return double.IsFinite(seconds) && seconds >= 0 && seconds <= max
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
            : throw new FormatException($"{name} is no time");
    }

    private static IEnumerable<string> AudiencesOf(JsonElement root)
    {
        if (!root.TryGetProperty("aud", out var value))
            return [];
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(entry => entry.GetString() ?? "") : [value.GetString() ?? ""];
    }
}
