using System.Security.Cryptography;
using System.Text;
using Broker.Lite.Security.Sasl;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Client;

/// <summary>Proves to a broker who the tool is.</summary>
internal static class SaslClient
{
    private const int NonceBytes = 24;

    /// <exception cref="ToolException">The broker does not believe it, or does not have the mechanism.</exception>
    public static async Task AuthenticateAsync(WireConnection connection, ClientSettings settings, CancellationToken cancellationToken)
    {
        var handshake = await connection.SendAsync(_ => new SaslHandshakeRequest { Mechanism = settings.Mechanism }, cancellationToken).ConfigureAwait(false);
        if (handshake.ErrorCode != ErrorCode.None)
            throw new ToolException($"The broker does not accept SASL mechanism {settings.Mechanism}; it has {string.Join(", ", handshake.Mechanisms)}");
        switch (settings.Mechanism)
        {
            case "PLAIN":
                await StepAsync(connection, Encoding.UTF8.GetBytes($"\0{settings.User}\0{settings.Password}"), cancellationToken).ConfigureAwait(false);
                break;
            case "OAUTHBEARER":
                var answer = await StepAsync(connection, Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {settings.Token}\u0001\u0001"), cancellationToken).ConfigureAwait(false);
                if (answer.Length > 0)
                    throw new ToolException($"Authentication failed: {Encoding.UTF8.GetString(answer)}");
                break;
            default:
                await ScramAsync(connection, settings, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private static async Task ScramAsync(WireConnection connection, ClientSettings settings, CancellationToken cancellationToken)
    {
        _ = ScramMechanism.TryFind(settings.Mechanism, out var mechanism);
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        var first = $"n={ScramMessage.Escape(settings.User)},r={nonce}";
        var challenge = Encoding.UTF8.GetString(await StepAsync(connection, Encoding.UTF8.GetBytes("n,," + first), cancellationToken).ConfigureAwait(false));
        try
        {
            var rest = challenge;
            var fullNonce = ScramMessage.Take(ref rest, 'r');
            var salt = ScramMessage.TakeBytes(ref rest, 's');
            if (!fullNonce.StartsWith(nonce, StringComparison.Ordinal) || !int.TryParse(ScramMessage.Take(ref rest, 'i'), out var iterations) || iterations is < 1 or > 1_000_000)
                throw new ToolException("The broker's SCRAM challenge is not one for this login");
            var salted = mechanism!.Salted(Encoding.UTF8.GetBytes(settings.Password), salt, iterations);
            var credential = ScramCredential.FromSaltedPassword(mechanism, salt, salted, iterations);
            var last = "c=biws,r=" + fullNonce;
            var conversation = Encoding.UTF8.GetBytes($"{first},{challenge},{last}");
            var proof = mechanism.Hmac(credential.StoredKey, conversation);
            var clientKey = mechanism.Hmac(salted, "Client Key"u8);
            for (var i = 0; i < proof.Length; i++)
                proof[i] ^= clientKey[i];
            var final = Encoding.UTF8.GetString(
                await StepAsync(connection, Encoding.UTF8.GetBytes($"{last},p={Convert.ToBase64String(proof)}"), cancellationToken).ConfigureAwait(false));
            // The broker proves that it knows the user too: else anybody could collect logins.
            if (!CryptographicOperations.FixedTimeEquals(ScramMessage.TakeBytes(ref final, 'v'), mechanism.Hmac(credential.ServerKey, conversation)))
                throw new ToolException("The broker does not know the user's password either; it is not the broker it should be");
        }
        catch (SaslException e)
        {
            throw new ToolException(e.Message, e);
        }
    }

    private static async Task<byte[]> StepAsync(WireConnection connection, byte[] message, CancellationToken cancellationToken)
    {
        var answer = await connection.SendAsync(_ => new SaslAuthenticateRequest { AuthBytes = message }, cancellationToken).ConfigureAwait(false);
        return answer.ErrorCode == ErrorCode.None ? answer.AuthBytes.ToArray() : throw new ToolException($"Authentication failed: {answer.ErrorMessage ?? answer.ErrorCode.ToString()}");
    }
}
