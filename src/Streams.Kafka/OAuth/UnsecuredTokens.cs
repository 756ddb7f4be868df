using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Streams.Core;

namespace Streams.Kafka.OAuth;

/// <summary>Tokens that nobody signed, for brokers set up to try things out. Source: KIP-255's unsecured JWS and librdkafka's <c>sasl.oauthbearer.config</c>.</summary>
internal static class UnsecuredTokens
{
    private const string ExtensionPrefix = "extension_";
    private const int MaxLifeSeconds = 10 * 365 * 24 * 3600;

    /// <exception cref="ConfigException">There is no principal, or a value is wrong.</exception>
    public static Func<CancellationToken, Task<OAuthBearerToken>> From(IReadOnlyDictionary<string, string> values, string setting, TimeProvider time)
    {
        string? principal = null;
        var principalClaim = "sub";
        var scopeClaim = "scope";
        string[] scope = [];
        var life = TimeSpan.FromHours(1);
        var extensions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            switch (name)
            {
                case "principal":
                    principal = value;
                    break;
                case "principalClaimName":
                    principalClaim = value;
                    break;
                case "scopeClaimName":
                    scopeClaim = value;
                    break;
                case "scope":
                    scope = value.Split(',', StringSplitOptions.RemoveEmptyEntries);
                    break;
                case "lifeSeconds":
                    life = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= MaxLifeSeconds
                        ? TimeSpan.FromSeconds(seconds)
                        : throw new ConfigException($"{setting} has lifeSeconds={value}: a number from 1 to {MaxLifeSeconds} is wanted.");
                    break;
                default:
                    if (!name.StartsWith(ExtensionPrefix, StringComparison.Ordinal))
                        throw new ConfigException($"{setting} has '{name}': principal, principalClaimName, scope, scopeClaimName, lifeSeconds and {ExtensionPrefix}… are known.");
                    extensions.Add(name[ExtensionPrefix.Length..], value);
                    break;
            }
        }

        if (string.IsNullOrEmpty(principal)) throw new ConfigException($"{setting} needs principal=NAME for unsecured tokens.");
        return _ => Task.FromResult(Make(principal, principalClaim, scope, scopeClaim, time.GetUtcNow(), life, extensions));
    }

    private static OAuthBearerToken Make(
        string principal, string principalClaim, string[] scope, string scopeClaim, DateTimeOffset now, TimeSpan life, IReadOnlyDictionary<string, string> extensions)
    {
        using var claims = new MemoryStream();
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            writer.WriteString(principalClaim, principal);
            writer.WriteNumber("iat", now.ToUnixTimeSeconds());
            writer.WriteNumber("exp", (now + life).ToUnixTimeSeconds());
            if (scope.Length > 0)
            {
                writer.WriteStartArray(scopeClaim);
                foreach (var each in scope) writer.WriteStringValue(each);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        var value = Base64Url.EncodeToString("""{"alg":"none"}"""u8) + "." + Base64Url.EncodeToString(claims.ToArray()) + ".";
        return new OAuthBearerToken(value, now + life, principal) { Extensions = extensions };
    }
}
