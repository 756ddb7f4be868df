using System.Security.Cryptography;
using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>The client's side of SASL over Kafka's own requests (KIP-43, KIP-152): PLAIN (RFC 4616) and SCRAM (RFC 5802).</summary>
internal static class SaslAuthenticator
{
    public const string Plain = "PLAIN";
    public const string ScramSha256 = "SCRAM-SHA-256";
    public const string ScramSha512 = "SCRAM-SHA-512";

    /// <summary>Authenticates, or returns at once when the settings ask for no SASL.</summary>
    /// <exception cref="ClusterException">The broker refused the mechanism or the credentials, or did not prove that it knows them.</exception>
    public static async Task AuthenticateAsync(BrokerConnection connection, SecuritySettings security, CancellationToken cancellationToken)
    {
        if (security.Mechanism is not { } mechanism) return;
        var handshake = await connection
            .SendAsync<SaslHandshakeResponse>(_ => new SaslHandshakeRequest { Mechanism = mechanism }, Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(false);
        WireErrors.Check(handshake.ErrorCode, $"{connection.Address} offers {string.Join(", ", handshake.Mechanisms)}, asked for was {mechanism}");

        if (mechanism == Plain)
        {
            await ExchangeAsync(connection, Encoding.UTF8.GetBytes($"\0{security.Username}\0{security.Password}"), cancellationToken).ConfigureAwait(false);
            return;
        }

        var scram = new ScramExchange(
            mechanism == ScramSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512,
            security.Username,
            security.Password,
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)));
        var challenge = await ExchangeAsync(connection, Encoding.UTF8.GetBytes(scram.ClientFirst), cancellationToken).ConfigureAwait(false);
        var proof = Decide(connection, () => scram.ClientFinal(Encoding.UTF8.GetString(challenge.Span)));
        var verdict = await ExchangeAsync(connection, Encoding.UTF8.GetBytes(proof), cancellationToken).ConfigureAwait(false);
        Decide(connection, () => scram.VerifyServer(Encoding.UTF8.GetString(verdict.Span)));
    }

    private static async Task<ReadOnlyMemory<byte>> ExchangeAsync(BrokerConnection connection, byte[] token, CancellationToken cancellationToken)
    {
        var answer = await connection
            .SendAsync<SaslAuthenticateResponse>(_ => new SaslAuthenticateRequest { AuthBytes = token }, Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(false);
        WireErrors.Check(answer.ErrorCode, $"Authenticating at {connection.Address}", answer.ErrorMessage);
        return answer.AuthBytes;
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
