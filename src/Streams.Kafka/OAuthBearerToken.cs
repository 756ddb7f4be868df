namespace Streams.Kafka;

/// <summary>A token that a client shows to brokers instead of a password: SASL OAUTHBEARER (RFC 7628, KIP-255).</summary>
/// <param name="Value">The token as it goes over the wire: letters, digits and <c>-._~+/=</c> (RFC 6750), mostly a JWT.</param>
/// <param name="ExpiresAt">When it ends. Asked for again when four fifths of the time until then are over.</param>
/// <param name="PrincipalName">Whose it is, for the client's own messages; brokers go by the token alone.</param>
public sealed record OAuthBearerToken(string Value, DateTimeOffset ExpiresAt, string PrincipalName)
{
    /// <summary>SASL extensions sent along (KIP-342); none by default. Names are letters, values printable ASCII, and no name is <c>auth</c>.</summary>
    public IReadOnlyDictionary<string, string> Extensions { get; init; } = new Dictionary<string, string>();

    /// <summary>Without the token: it is a password.</summary>
    public override string ToString() => $"token of {PrincipalName} until {ExpiresAt:u}";
}
