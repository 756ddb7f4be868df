using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Broker.Lite.Tests.Security;

/// <summary>A certificate authority for one test, and certificates of it, as PEM text.</summary>
internal sealed class TestCertificates
{
    private static readonly DateTimeOffset _from = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset _until = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private byte _serial;

    public TestCertificates(string name = "CN=Test Authority")
    {
        var request = new CertificateRequest(name, _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        _authority = request.CreateSelfSigned(_from, _until);
    }

    public string AuthorityPem => _authority.ExportCertificatePem();

    /// <summary>A certificate with its key, both in one PEM text.</summary>
    public string Issue(string subject, bool forClient = false)
    {
        using var certificate = Make(subject, forClient);
        return certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
    }

    public byte[] IssuePkcs12(string subject, string password, bool forClient = false)
    {
        using var certificate = Make(subject, forClient);
        return certificate.Export(X509ContentType.Pkcs12, password);
    }

    private X509Certificate2 Make(string subject, bool forClient)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forClient ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_authority, _from.AddDays(1), _until.AddDays(-1), [++_serial]);
        return issued.CopyWithPrivateKey(key);
    }
}
