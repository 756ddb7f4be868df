using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Broker.Lite.Security.Tls;

/// <summary>Certificates and keys from PEM text.</summary>
internal static class PemText
{
    private const string CertificateLabel = "CERTIFICATE";
    private const string EncryptedKeyLabel = "ENCRYPTED PRIVATE KEY";

    /// <summary>All certificates in the text, in their order.</summary>
    /// <exception cref="CryptographicException">A certificate cannot be read.</exception>
    public static X509Certificate2Collection Certificates(string pem)
    {
        var result = new X509Certificate2Collection();
        foreach (var range in Ranges(pem, CertificateLabel))
            result.Add(X509Certificate2.CreateFromPem(pem[range]));
        return result;
    }

    /// <summary>The first certificate with the private key, and the certificates after it.</summary>
    /// <exception cref="CryptographicException">Something is missing, or the password is wrong.</exception>
    public static (X509Certificate2 Own, X509Certificate2Collection Chain) Identity(string certificates, string key, string password)
    {
        var own = Ranges(key, EncryptedKeyLabel).Any()
            ? X509Certificate2.CreateFromEncryptedPem(certificates, key, password)
            : X509Certificate2.CreateFromPem(certificates, key);
        var chain = Certificates(certificates);
        if (chain.Count > 0)
            chain.RemoveAt(0);
        return (own, chain);
    }

    private static IEnumerable<Range> Ranges(string pem, string label)
    {
        for (var start = 0; start < pem.Length && PemEncoding.TryFind(pem.AsSpan(start), out var fields);)
        {
            var (offset, length) = fields.Location.GetOffsetAndLength(pem.Length - start);
            if (pem.AsSpan(start)[fields.Label].SequenceEqual(label))
                yield return new Range(start + offset, start + offset + length);
            start += offset + length;
        }
    }
}
