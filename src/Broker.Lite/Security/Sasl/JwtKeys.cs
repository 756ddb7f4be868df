using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Broker.Lite.Security.Sasl;

/// <summary>The public keys that tokens must be signed with: RSA for RS256 and P-256 for ES256, from a JWKS document or PEM.</summary>
internal sealed class JwtKeys : IDisposable
{
    private const int MinRsaBits = 2048;

    private readonly List<(string? Id, RSA? Rsa, ECDsa? Ec)> _keys = [];

    /// <summary>Reads a file: JSON if it begins with a brace, PEM otherwise.</summary>
    /// <exception cref="InvalidDataException">It holds no usable key.</exception>
    public static JwtKeys Load(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads a document.</summary>
    /// <exception cref="InvalidDataException">It holds no usable key.</exception>
    public static JwtKeys Parse(string text, string source)
    {
        var keys = new JwtKeys();
        try
        {
            if (text.AsSpan().TrimStart().StartsWith("{"))
                keys.AddJwks(text);
            else
                keys.AddPem(text);
        }
        catch (Exception e) when (e is JsonException or CryptographicException or FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException)
        {
            keys.Dispose();
            throw new InvalidDataException($"{source} holds no keys: {e.Message}", e);
        }

        if (keys._keys.Count == 0)
            throw new InvalidDataException($"{source} holds no key for RS256 or ES256");
        return keys;
    }

    /// <summary>Whether one of the keys, the one with this id if the token names one that is here, made the signature.</summary>
    public bool Verify(string algorithm, string? keyId, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        var isNamed = keyId is not null && _keys.Exists(key => key.Id == keyId);
        foreach (var (id, rsa, ec) in _keys)
        {
            if (isNamed && id != keyId)
                continue;
            // The algorithm must belong to the key's kind: a token cannot choose how a key is used.
            if (algorithm == "RS256" && rsa is not null && rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
                return true;
            if (algorithm == "ES256" && ec is not null && ec.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
                return true;
        }

        return false;
    }

    public void Dispose()
    {
        foreach (var (_, rsa, ec) in _keys)
        {
            rsa?.Dispose();
            ec?.Dispose();
        }
    }

    private void AddJwks(string text)
    {
        using var document = JsonDocument.Parse(text);
        foreach (var key in document.RootElement.GetProperty("keys").EnumerateArray())
        {
            var id = key.TryGetProperty("kid", out var kid) ? kid.GetString() : null;
            if (key.TryGetProperty("use", out var use) && use.GetString() != "sig")
                continue;
            switch (key.GetProperty("kty").GetString())
            {
                case "RSA":
                    Add(id, RSA.Create(new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") }));
                    break;
                case "EC" when key.GetProperty("crv").GetString() == "P-256":
                    Add(id, ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") } }));
                    break;
            }
        }
    }

    private void AddPem(string text)
    {
        for (var start = 0; start < text.Length && PemEncoding.TryFind(text.AsSpan(start), out var fields);)
        {
            var (offset, length) = fields.Location.GetOffsetAndLength(text.Length - start);
            var pem = text.AsSpan(start + offset, length);
            var label = text.AsSpan(start)[fields.Label];
            if (label.SequenceEqual("PUBLIC KEY") || label.SequenceEqual("RSA PUBLIC KEY"))
            {
                var rsa = RSA.Create();
                try
                {
                    rsa.ImportFromPem(pem);
                    Add(null, rsa);
                }
                catch (CryptographicException)
                {
                    // The label does not tell the kind of key, only importing it does.
                    rsa.Dispose();
                    var ec = ECDsa.Create();
                    ec.ImportFromPem(pem);
                    Add(null, ec);
                }
            }

            start += offset + length;
        }
    }

    private void Add(string? id, RSA key)
    {
        if (key.KeySize < MinRsaBits)
            throw new CryptographicException($"an RSA key of {key.KeySize} bits is too short");
        _keys.Add((id, key, null));
    }

    private void Add(string? id, ECDsa key)
    {
        if (key.KeySize != 256)
            throw new CryptographicException($"an elliptic curve key of {key.KeySize} bits is not one for ES256");
        _keys.Add((id, null, key));
    }

    private static byte[] Bytes(JsonElement key, string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString());
}
