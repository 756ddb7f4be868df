using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Broker.Lite.Security.Tls;

/// <summary>The TLS side of a listener: its certificate, which clients' certificates it trusts, and whom they stand for.</summary>
internal sealed class TlsServer : IDisposable
{
    private const string ClientAuthenticationOid = "1.3.6.1.5.5.7.3.2";
    private const string Pem = "PEM";

    private readonly X509Certificate2 _own;
    private readonly X509Certificate2Collection _trusted;
    private readonly bool _isCertificateRequired;
    private readonly PrincipalMapping _mapping;

    private TlsServer(X509Certificate2 own, X509Certificate2Collection chain, X509Certificate2Collection trusted, string clientAuth, SslProtocols protocols, PrincipalMapping mapping)
    {
        _own = own;
        _trusted = trusted;
        _isCertificateRequired = clientAuth == "required";
        _mapping = mapping;
        Options = new SslServerAuthenticationOptions
        {
            // Offline: the chain is what the operator configured; nothing is fetched from addresses in certificates.
            ServerCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true),
            ClientCertificateRequired = clientAuth != "none",
            RemoteCertificateValidationCallback = clientAuth == "none" ? null : (_, certificate, chain, _) => IsTrusted(certificate, chain),
            EnabledSslProtocols = protocols,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
    }

    public SslServerAuthenticationOptions Options { get; }

    /// <summary>Reads what a listener's settings name.</summary>
    /// <exception cref="InvalidDataException">A file or setting is missing or not what it should be; the message names it.</exception>
    public static TlsServer Load(string listener, ListenerSettings settings)
    {
        try
        {
            var (own, chain) = LoadIdentity(settings);
            var clientAuth = settings.Text(SecurityConfigKeys.ClientAuth);
            var trusted = LoadTrusted(settings);
            if (clientAuth == "required" && trusted.Count == 0)
                throw new InvalidDataException($"clients need a certificate, but {SecurityConfigKeys.TruststoreLocation} and {SecurityConfigKeys.TruststoreCertificates} are not set");
            var protocols = SslProtocols.None;
            foreach (var name in settings.List(SecurityConfigKeys.EnabledProtocols))
                protocols |= name == "TLSv1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12;
            return new TlsServer(own, chain, trusted, clientAuth, protocols, PrincipalMapping.Parse(settings.Text(SecurityConfigKeys.PrincipalMappingRules)));
        }
        catch (Exception e) when (e is CryptographicException or FormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"TLS of listener {listener}: {e.Message}", e);
        }
    }

    /// <summary>Whom a connection's certificate stands for: nobody in particular without one.</summary>
    /// <exception cref="AuthenticationException">No mapping rule is about this certificate.</exception>
    public KafkaPrincipal PrincipalOf(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 known)
            return KafkaPrincipal.Anonymous;
        string? name;
        try
        {
            name = _mapping.Apply(DistinguishedName.Of(known.SubjectName));
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new AuthenticationException("a rule for principals takes too long", e);
        }

        return name is null ? throw new AuthenticationException("no rule for principals matches the certificate's subject") : KafkaPrincipal.User(name);
    }

    public void Dispose()
    {
        _own.Dispose();
        foreach (var certificate in _trusted)
            certificate.Dispose();
    }

    private bool IsTrusted(X509Certificate? certificate, X509Chain? presented)
    {
        if (certificate is null)
            return !_isCertificateRequired;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthenticationOid));
        foreach (var element in presented?.ChainElements.AsEnumerable() ?? [])
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build((X509Certificate2)certificate);
    }

    private static (X509Certificate2 Own, X509Certificate2Collection Chain) LoadIdentity(ListenerSettings settings)
    {
        var location = settings.Text(SecurityConfigKeys.KeystoreLocation);
        var keyPassword = settings.Text(SecurityConfigKeys.KeyPassword);
        var inline = settings.Text(SecurityConfigKeys.KeystoreCertificateChain);
        if (inline.Length > 0)
            return Usable(PemText.Identity(inline, settings.Text(SecurityConfigKeys.KeystoreKey), keyPassword));
        if (location.Length == 0)
            throw new InvalidDataException($"{SecurityConfigKeys.KeystoreLocation} is not set");
        if (settings.Text(SecurityConfigKeys.KeystoreType) == Pem)
        {
            var text = File.ReadAllText(location);
            return Usable(PemText.Identity(text, text, keyPassword));
        }

        var all = X509CertificateLoader.LoadPkcs12CollectionFromFile(location, settings.Text(SecurityConfigKeys.KeystorePassword));
        var own = all.FirstOrDefault(certificate => certificate.HasPrivateKey) ?? throw new InvalidDataException($"{location} has no private key");
        all.Remove(own);
        return (own, all);
    }

    private static (X509Certificate2 Own, X509Certificate2Collection Chain) Usable((X509Certificate2 Own, X509Certificate2Collection Chain) identity)
    {
        // Windows' TLS cannot use a key that only lives in memory.
        if (!OperatingSystem.IsWindows())
            return identity;
        using var ephemeral = identity.Own;
        return (X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null), identity.Chain);
    }

    private static X509Certificate2Collection LoadTrusted(ListenerSettings settings)
    {
        var inline = settings.Text(SecurityConfigKeys.TruststoreCertificates);
        if (inline.Length > 0)
            return PemText.Certificates(inline);
        var location = settings.Text(SecurityConfigKeys.TruststoreLocation);
        if (location.Length == 0)
            return [];
        return settings.Text(SecurityConfigKeys.TruststoreType) == Pem
            ? PemText.Certificates(File.ReadAllText(location))
            : X509CertificateLoader.LoadPkcs12CollectionFromFile(location, settings.Text(SecurityConfigKeys.TruststorePassword));
    }
}
