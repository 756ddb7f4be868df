using System.Security.Cryptography;
using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>
/// The server's side of SCRAM (RFC 5802, RFC 7677): client-first → server-first with salt and nonce → client-final with proof → server-final.
/// A user who does not exist gets a salt too, always the same one, and fails at the proof like one with a wrong password.
/// </summary>
internal sealed class ScramExchange(ScramMechanism mechanism, Func<string, ScramCredential?> find, byte[] decoyKey) : ISaslExchange
{
    private const int NonceBytes = 24;

    private string? _user;
    private ScramCredential? _credential;
    private bool _isDecoy;
    private string _clientNonce = "";
    private string _nonce = "";
    private string _channelBinding = "";
    private string _firstMessages = "";

    public SaslStep Next(ReadOnlySpan<byte> message)
    {
        if (message.Length > ScramMessage.MaxBytes)
            throw new SaslException("Invalid SASL/SCRAM message: too long");
        var text = Encoding.UTF8.GetString(message);
        return _user is null ? First(text) : Final(text);
    }

    private SaslStep First(string text)
    {
        // gs2 header: n or y (no channel binding), comma, optional a=authorization id, comma.
        if (text.Length < 3 || text[0] is not ('n' or 'y') || text[1] != ',')
            throw new SaslException("Invalid SASL/SCRAM message: channel binding is not supported");
        var headerEnd = text.IndexOf(',', 2);
        if (headerEnd < 0)
            throw new SaslException("Invalid SASL/SCRAM message: the header does not end");
        var authorizationId = headerEnd == 2 ? "" : text[2..headerEnd];
        _channelBinding = Convert.ToBase64String(Encoding.UTF8.GetBytes(text[..(headerEnd + 1)]));

        var bare = text[(headerEnd + 1)..];
        var rest = bare;
        var user = ScramMessage.Unescape(ScramMessage.Take(ref rest, 'n'));
        var clientNonce = ScramMessage.Take(ref rest, 'r');
        if (user.Length == 0 || clientNonce.Length == 0)
            throw new SaslException("Invalid SASL/SCRAM message: name or nonce is empty");
        if (authorizationId.Length > 0 && (!authorizationId.StartsWith("a=", StringComparison.Ordinal) || ScramMessage.Unescape(authorizationId[2..]) != user))
            throw new SaslException("Authentication failed: Client requested an authorization id that is different from username");

        _credential = find(user);
        if (_credential is null)
        {
            _isDecoy = true;
            var salt = mechanism.Hmac(decoyKey, Encoding.UTF8.GetBytes(user))[..NonceBytes];
            _credential = new ScramCredential(salt, new byte[mechanism.HashBytes], new byte[mechanism.HashBytes], ScramCredential.MinIterations);
        }

        _user = user;
        _clientNonce = clientNonce;
        _nonce = clientNonce + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        var answer = $"r={_nonce},s={Convert.ToBase64String(_credential.Salt)},i={_credential.Iterations}";
        _firstMessages = bare + "," + answer;
        return new SaslStep(Encoding.UTF8.GetBytes(answer));
    }

    private SaslStep Final(string text)
    {
        var rest = text;
        var binding = ScramMessage.Take(ref rest, 'c');
        var nonce = ScramMessage.Take(ref rest, 'r');
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0)
            throw new SaslException("Invalid SASL/SCRAM message: attribute p is missing");
        var proofPart = text[(proofAt + 1)..];
        var proof = ScramMessage.TakeBytes(ref proofPart, 'p');
        // librdkafka up to 2.6.0 puts its own nonce before the whole one once more. Kafka 3 lets that pass and Kafka 4 does not; it is harmless,
        // since our part is there and the proof covers the nonce as it was sent.
        if (binding != _channelBinding || (nonce != _nonce && nonce != _clientNonce + _nonce) || proof.Length != mechanism.HashBytes)
            throw SaslException.InvalidCredentials(mechanism.Name);

        // ClientKey = proof XOR HMAC(StoredKey, everything said so far); it is the right one if its hash is the stored key.
        var conversation = Encoding.UTF8.GetBytes(_firstMessages + "," + text[..proofAt]);
        var clientKey = mechanism.Hmac(_credential!.StoredKey, conversation);
        for (var i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= proof[i];
        if (!CryptographicOperations.FixedTimeEquals(mechanism.Hash(clientKey), _credential.StoredKey) || _isDecoy)
            throw SaslException.InvalidCredentials(mechanism.Name);
        var signature = Convert.ToBase64String(mechanism.Hmac(_credential.ServerKey, conversation));
        return new SaslStep(Encoding.UTF8.GetBytes("v=" + signature), _user);
    }
}
