using System.Security.Cryptography;
using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.OAuth;

namespace Streams.Kafka.Wire;

/// <summary>The client's side of SASL over Kafka's own requests (KIP-43, KIP-152): PLAIN (RFC 4616), SCRAM (RFC 5802) and OAUTHBEARER (RFC 7628).</summary>
internal static class SaslAuthenticator
{
    public const string Plain = "PLAIN";
    public const string ScramSha256 = "SCRAM-SHA-256";
    public const string ScramSha512 = "SCRAM-SHA-512";
    public const string OAuthBearer = "OAUTHBEARER";

    /// <summary>Authenticates, or returns at once when the settings ask for no SASL.</summary>
    /// <returns>How long the broker goes by it (KIP-368); <c>null</c> for as long as the connection lives.</returns>
    /// <exception cref="ClusterException">The broker refused the mechanism or the credentials, or did not prove that it knows them.</exception>
    public static async Task<TimeSpan?> AuthenticateAsync(BrokerConnection connection, SecuritySettings security, CancellationToken cancellationToken)
    {
        if (security.Mechanism is not { } mechanism) return null;
        var handshake = await connection
            .SendAsync<SaslHandshakeResponse>(_ => new SaslHandshakeRequest { Mechanism = mechanism }, Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(false);
        WireErrors.Check(handshake.ErrorCode, $"{connection.Address} offers {string.Join(", ", handshake.Mechanisms)}, asked for was {mechanism}");

        if (mechanism == Plain)
            return Lifetime(await ExchangeAsync(connection, Encoding.UTF8.GetBytes($"\0{security.Username}\0{security.Password}"), cancellationToken).ConfigureAwait(false));
        if (security.Tokens is { } tokens) return Lifetime(await ShowTokenAsync(connection, tokens, cancellationToken).ConfigureAwait(false));

        var scram = new ScramExchange(
            mechanism == ScramSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512,
            security.Username,
            security.Password,
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)));
        var challenge = await ExchangeAsync(connection, Encoding.UTF8.GetBytes(scram.ClientFirst), cancellationToken).ConfigureAwait(false);
        var proof = Decide(connection, () => scram.ClientFinal(Encoding.UTF8.GetString(challenge.AuthBytes.Span)));
        var verdict = await ExchangeAsync(connection, Encoding.UTF8.GetBytes(proof), cancellationToken).ConfigureAwait(false);
        Decide(connection, () => scram.VerifyServer(Encoding.UTF8.GetString(verdict.AuthBytes.Span)));
        return Lifetime(verdict);
    }

    private static async Task<SaslAuthenticateResponse> ShowTokenAsync(BrokerConnection connection, BearerTokens tokens, CancellationToken cancellationToken)
    {
        var token = await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
        var answer = await ExchangeAsync(connection, BearerTokens.ClientMessage(token), cancellationToken, $" with a {token}").ConfigureAwait(false);
        if (answer.AuthBytes.IsEmpty) return answer;

        // A refusal says why, and is over when the client has taken note of it (RFC 7628, section 3.2.3).
        await ExchangeAsync(connection, [1], cancellationToken, $" with a {token}").ConfigureAwait(false);
        throw BearerTokens.Refused($"{connection.Address} refuses the {token}: {Encoding.UTF8.GetString(answer.AuthBytes.Span)}");
    }

    private static TimeSpan? Lifetime(SaslAuthenticateResponse answer) => answer.SessionLifetimeMs > 0 ? TimeSpan.FromMilliseconds(answer.SessionLifetimeMs) : null;

    private static async Task<SaslAuthenticateResponse> ExchangeAsync(BrokerConnection connection, byte[] message, CancellationToken cancellationToken, string withWhat = "")
    {
        var answer = await connection
            .SendAsync<SaslAuthenticateResponse>(_ => new SaslAuthenticateRequest { AuthBytes = message }, Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(false);
        WireErrors.Check(answer.ErrorCode, $"Authenticating at {connection.Address}{withWhat}", answer.ErrorMessage);
        return answer;
    }

    private static T Decide<T>(BrokerConnection connection, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (FormatException e)
        {
            const ErrorCode Refused = ErrorCode.SaslAuthenticationFailed;
            throw new ClusterException((short)Refused, Refused.ProtocolName(), $"Authenticating at {connection.Address}: {e.Message}", e);
        }
    }
}
