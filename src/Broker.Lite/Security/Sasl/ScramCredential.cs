using System.Security.Cryptography;
using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>
/// What is kept of a user's password for SCRAM (RFC 5802): keys from which neither the password nor what a client needs to log in can be
/// computed.
/// </summary>
internal sealed record ScramCredential(byte[] Salt, byte[] StoredKey, byte[] ServerKey, int Iterations)
{
    /// <summary>Kafka's bounds for the number of hash rounds.</summary>
    public const int MinIterations = 4096;

    public const int MaxIterations = 16384;

    /// <summary>Makes the keys of what PBKDF2 made of the password.</summary>
    public static ScramCredential FromSaltedPassword(ScramMechanism mechanism, byte[] salt, byte[] saltedPassword, int iterations) => new(
        salt,
        mechanism.Hash(mechanism.Hmac(saltedPassword, "Client Key"u8)),
        mechanism.Hmac(saltedPassword, "Server Key"u8),
        iterations);

    public static ScramCredential FromPassword(ScramMechanism mechanism, string password, int iterations)
    {
        var salt = RandomNumberGenerator.GetBytes(24);
        var salted = mechanism.Salted(Encoding.UTF8.GetBytes(password), salt, iterations);
        return FromSaltedPassword(mechanism, salt, salted, iterations);
    }

    /// <summary>Keys and salt are secrets of a sort: never print them.</summary>
    public override string ToString() => $"SCRAM credential with {Iterations} iterations";
}
