using System.Security.Cryptography;
using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>PLAIN (RFC 4616): one message with the user's name and password.</summary>
internal sealed class PlainExchange(IReadOnlyDictionary<string, string> passwords) : ISaslExchange
{
    private const string Mechanism = "PLAIN";
    private const int MaxBytes = 4096;

    public SaslStep Next(ReadOnlySpan<byte> message)
    {
        if (message.Length > MaxBytes)
            throw new SaslException("Invalid SASL/PLAIN response: too long");
        var parts = Encoding.UTF8.GetString(message).Split('\0');
        if (parts.Length != 3)
            throw new SaslException($"Invalid SASL/PLAIN response: expected 3 tokens, got {parts.Length}");
        var (authorizationId, user, password) = (parts[0], parts[1], parts[2]);
        if (user.Length == 0)
            throw new SaslException("Authentication failed: username not specified");
        if (password.Length == 0)
            throw new SaslException("Authentication failed: password not specified");

        // An unknown user is compared too, so that the time taken does not tell who exists.
        var isKnown = passwords.TryGetValue(user, out var expected);
        var matches = CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(password)), SHA256.HashData(Encoding.UTF8.GetBytes(expected ?? "")));
        if (!isKnown || !matches)
            throw SaslException.InvalidCredentials(Mechanism);
        if (authorizationId.Length > 0 && authorizationId != user)
            throw new SaslException("Authentication failed: Client requested an authorization id that is different from username");
        return new SaslStep([], user);
    }
}
