using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Broker.Lite.Security.Sasl;

/// <summary>The two SCRAM mechanisms, with the numbers the protocol has for them (KIP-554).</summary>
internal sealed class ScramMechanism
{
    private readonly HashAlgorithmName _algorithm;

    private ScramMechanism(sbyte id, string name, HashAlgorithmName algorithm, int bytes)
    {
        (Id, Name, HashBytes) = (id, name, bytes);
        _algorithm = algorithm;
    }

    public static ScramMechanism Sha256 { get; } = new(1, "SCRAM-SHA-256", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);

    public static ScramMechanism Sha512 { get; } = new(2, "SCRAM-SHA-512", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes);

    public static IReadOnlyList<ScramMechanism> All { get; } = [Sha256, Sha512];

    public sbyte Id { get; }

    public string Name { get; }

    public int HashBytes { get; }

    public static bool TryFind(sbyte id, [NotNullWhen(true)] out ScramMechanism? mechanism) => (mechanism = All.FirstOrDefault(known => known.Id == id)) is not null;

    public static bool TryFind(string name, [NotNullWhen(true)] out ScramMechanism? mechanism) =>
        (mechanism = All.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) is not null;

    public byte[] Hash(ReadOnlySpan<byte> source) => CryptographicOperations.HashData(_algorithm, source);

    public byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source) => CryptographicOperations.HmacData(_algorithm, key, source);

    public byte[] Salted(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, _algorithm, HashBytes);
}
