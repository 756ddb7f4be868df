using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>OAUTHBEARER (RFC 7628): one message with a signed token. A refusal is told in JSON, which the client confirms.</summary>
internal sealed class OauthBearerExchange(JwtValidator validator) : ISaslExchange
{
    private const char Separator = '\u0001';
    private const string TokenPrefix = "auth=Bearer ";
    private const int MaxBytes = 64 * 1024;

    private string? _refusal;

    public SaslStep Next(ReadOnlySpan<byte> message)
    {
        if (_refusal is not null)
            throw new SaslException(_refusal);
        if (message.Length > MaxBytes)
            throw new SaslException("Invalid OAUTHBEARER message: too long");
        var text = Encoding.UTF8.GetString(message);
        var parts = text.Split(Separator);
        // header, key-value pairs, and two empty ends.
        if (parts.Length < 4 || !parts[0].StartsWith("n,", StringComparison.Ordinal) || !parts[0].EndsWith(',') || parts[^1].Length != 0)
            throw new SaslException("Invalid OAUTHBEARER message");
        var authorizationId = parts[0][2..^1];
        var token = parts.FirstOrDefault(part => part.StartsWith(TokenPrefix, StringComparison.OrdinalIgnoreCase))?[TokenPrefix.Length..];
        if (token is null)
            throw new SaslException("Invalid OAUTHBEARER message: it has no token");

        if (!validator.TryValidate(token, out var user, out var validUntil, out var fault))
        {
            // Why is for the log only: it helps an attacker more than an honest client.
            _refusal = $"OAUTHBEARER token refused: {fault}";
            return new SaslStep("""{"status":"invalid_token"}"""u8.ToArray());
        }

        if (authorizationId.Length > 0 && authorizationId != "a=" + user)
            throw new SaslException("Authentication failed: Client requested an authorization id that is different from its token's");
        return new SaslStep([], user, validUntil);
    }
}
