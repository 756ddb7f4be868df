using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Streams.Kafka.Wire;

/// <summary>One SCRAM conversation as the client leads it (RFC 5802, without channel binding). Bad messages of the server are <see cref="FormatException"/>s.</summary>
/// <param name="hash">SHA-256 or SHA-512.</param>
/// <param name="username">User.</param>
/// <param name="password">Password.</param>
/// <param name="nonce">Unpredictable printable text without a comma.</param>
internal sealed class ScramExchange(HashAlgorithmName hash, string username, string password, string nonce)
{
    // The lower bound is RFC 7677's; the upper one keeps a hostile server from making us hash for minutes.
    private const int MinIterations = 4096;
    private const int MaxIterations = 1 << 20;

    private readonly string _clientFirstBare = $"n={Escape(username)},r={nonce}";
    private byte[] _expectedServerSignature = [];

    /// <summary>The first message.</summary>
    public string ClientFirst => "n,," + _clientFirstBare;

    /// <summary>The second message, which proves the password without sending it.</summary>
    public string ClientFinal(string serverFirst)
    {
        var fields = serverFirst.Split(',');
        if (fields.Length < 3) throw new FormatException("the server's first SCRAM message is incomplete");
        var serverNonce = Field(fields[0], 'r');
        if (!serverNonce.StartsWith(nonce, StringComparison.Ordinal) || serverNonce.Length == nonce.Length)
            throw new FormatException("the server's nonce does not continue ours");
        var salt = Convert.FromBase64String(Field(fields[1], 's'));
        if (!int.TryParse(Field(fields[2], 'i'), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < MinIterations or > MaxIterations)
            throw new FormatException($"the server asks for an iteration count outside {MinIterations} to {MaxIterations}");

        var hashBytes = hash == HashAlgorithmName.SHA256 ? SHA256.HashSizeInBytes : SHA512.HashSizeInBytes;
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, hash, hashBytes);
        var clientKey = Hmac(salted, "Client Key");
        var storedKey = hash == HashAlgorithmName.SHA256 ? SHA256.HashData(clientKey) : SHA512.HashData(clientKey);
        var withoutProof = "c=biws,r=" + serverNonce;
        var authMessage = $"{_clientFirstBare},{serverFirst},{withoutProof}";
        var proof = Hmac(storedKey, authMessage);
        for (var index = 0; index < proof.Length; index++) proof[index] ^= clientKey[index];
        _expectedServerSignature = Hmac(Hmac(salted, "Server Key"), authMessage);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>Checks the server's last message: it must prove that it knows the password too.</summary>
    public bool VerifyServer(string serverFinal)
    {
        var signature = Convert.FromBase64String(Field(serverFinal.Split(',')[0], 'v'));
        if (_expectedServerSignature.Length == 0 || !CryptographicOperations.FixedTimeEquals(signature, _expectedServerSignature))
            throw new FormatException("the server did not prove that it knows the password");
        return true;
    }

    private byte[] Hmac(byte[] key, string text) =>
        hash == HashAlgorithmName.SHA256 ? HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)) : HMACSHA512.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Field(string field, char name) =>
        field.Length > 2 && field[0] == name && field[1] == '=' ? field[2..] : throw new FormatException($"the server's SCRAM message lacks '{name}='");

    private static string Escape(string name) => name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);
}
