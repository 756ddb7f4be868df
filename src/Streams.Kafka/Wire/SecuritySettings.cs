using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Streams.Core;
using Streams.Kafka.OAuth;

namespace Streams.Kafka.Wire;

/// <summary>TLS and SASL of the managed connections, from the same settings as Confluent.Kafka's.</summary>
/// <remarks>
/// <c>security.protocol</c> (plaintext, ssl, sasl_plaintext, sasl_ssl), <c>ssl.ca.location</c>, <c>ssl.certificate.location</c> with <c>ssl.key.location</c> and
/// <c>ssl.key.password</c> (PEM), <c>enable.ssl.certificate.verification</c>, <c>ssl.endpoint.identification.algorithm</c> (https, none),
/// <c>sasl.mechanism</c> (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 with <c>sasl.username</c> and <c>sasl.password</c>; OAUTHBEARER with a token provider or
/// <c>sasl.oauthbearer.…</c>, see <see cref="BearerSettings"/>). A mechanism that is not listed is refused at start instead of connecting in another way than was asked for.
/// </remarks>
internal sealed record SecuritySettings
{
    public static readonly SecuritySettings Plaintext = new();

    private static readonly string[] _all =
    [
        "security.protocol", "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password", "enable.ssl.certificate.verification",
        "ssl.endpoint.identification.algorithm", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password",
    ];

    /// <summary>Whether connections are encrypted.</summary>
    public bool UseTls { get; private init; }

    /// <summary>SASL mechanism; <c>null</c> for none.</summary>
    public string? Mechanism { get; private init; }

    /// <summary>SASL user.</summary>
    public string Username { get; private init; } = "";

    /// <summary>SASL password. Never logged: the record prints without it.</summary>
    public string Password { get; private init; } = "";

    /// <summary>Tokens of OAUTHBEARER; <c>null</c> for other mechanisms.</summary>
    public BearerTokens? Tokens { get; private init; }

    private bool Verify { get; init; } = true;

    private bool VerifyHostName { get; init; } = true;

    private X509Certificate2Collection? Authorities { get; init; }

    private X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Reads the settings; those that do not concern connections are left alone.</summary>
    /// <param name="config">Settings by their Kafka names.</param>
    /// <param name="tokenProvider">Where tokens of OAUTHBEARER come from when no setting says so.</param>
    /// <param name="time">Clock of the tokens' ends.</param>
    /// <exception cref="ConfigException">A value is unknown or a needed one is missing.</exception>
    public static SecuritySettings From(IReadOnlyDictionary<string, string> config, Func<CancellationToken, Task<OAuthBearerToken>>? tokenProvider, TimeProvider time)
    {
        var protocol = Get(config, "security.protocol", "plaintext").Replace("_", "", StringComparison.Ordinal);
        var tls = Is(protocol, "ssl") || Is(protocol, "saslssl");
        var sasl = Is(protocol, "saslplaintext") || Is(protocol, "saslssl");
        if (!tls && !sasl && !Is(protocol, "plaintext"))
            throw new ConfigException($"security.protocol '{config["security.protocol"]}' is not one of plaintext, ssl, sasl_plaintext, sasl_ssl.");
        var settings = new SecuritySettings { UseTls = tls };
        if (tls) settings = settings.WithTls(config);
        if (sasl) settings = settings.WithSasl(config, tokenProvider, time);
        return tokenProvider is null || settings.Tokens is not null
            ? settings
            : throw new ConfigException("There is a token provider, but no sasl.mechanism OAUTHBEARER with security.protocol sasl_ssl or sasl_plaintext that would ask it.");
    }

    /// <summary>Takes out what <see cref="From"/> has read, so that what is left is not about connections.</summary>
    public static void RemoveFrom(Dictionary<string, string> config)
    {
        foreach (var key in _all) config.Remove(key);
    }

    /// <summary>Runs the TLS handshake over <paramref name="inner"/>, which belongs to the result from then on.</summary>
    public async Task<Stream> SecureAsync(Stream inner, string host, CancellationToken cancellationToken)
    {
        var stream = new SslStream(inner, leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(ClientOptions(host), cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new ClusterException(-1, "TLS", $"The TLS handshake with {host} failed: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => (UseTls, Mechanism) switch
    {
        (true, null) => "ssl",
        (false, null) => "plaintext",
        (true, _) => "sasl_ssl " + Mechanism,
        _ => "sasl_plaintext " + Mechanism,
    };

    private SslClientAuthenticationOptions ClientOptions(string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        if (ClientCertificate is not null) options.ClientCertificates = [ClientCertificate];
        if (Authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(Authorities);
        }

        if (!Verify || !VerifyHostName)
        {
            var ignored = Verify ? SslPolicyErrors.RemoteCertificateNameMismatch : (SslPolicyErrors)~0;
            options.RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~ignored) == SslPolicyErrors.None;
        }

        return options;
    }

    private SecuritySettings WithTls(IReadOnlyDictionary<string, string> config)
    {
        if (!bool.TryParse(Get(config, "enable.ssl.certificate.verification", "true"), out var verify))
            throw new ConfigException("enable.ssl.certificate.verification is not true or false.");
        X509Certificate2Collection? authorities = null;
        X509Certificate2? certificate = null;
        try
        {
            if (config.TryGetValue("ssl.ca.location", out var ca))
            {
                authorities = [];
                authorities.ImportFromPemFile(ca);
            }

            if (config.TryGetValue("ssl.certificate.location", out var file))
            {
                var key = Get(config, "ssl.key.location", file);
                certificate = config.TryGetValue("ssl.key.password", out var password)
                    ? X509Certificate2.CreateFromEncryptedPemFile(file, password, key)
                    : X509Certificate2.CreateFromPemFile(file, key);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new ConfigException($"ssl.ca.location, ssl.certificate.location or ssl.key.location cannot be read: {e.Message}", e);
        }

        return this with
        {
            Verify = verify,
            VerifyHostName = !Is(Get(config, "ssl.endpoint.identification.algorithm", "https"), "none"),
            Authorities = authorities,
            ClientCertificate = certificate,
        };
    }

    private SecuritySettings WithSasl(IReadOnlyDictionary<string, string> config, Func<CancellationToken, Task<OAuthBearerToken>>? tokenProvider, TimeProvider time)
    {
        var mechanism = Get(config, "sasl.mechanism", Get(config, "sasl.mechanisms", "")).ToUpperInvariant();
        if (mechanism == SaslAuthenticator.OAuthBearer) return this with { Mechanism = mechanism, Tokens = BearerSettings.From(config, tokenProvider, time) };
        if (mechanism is not (SaslAuthenticator.Plain or SaslAuthenticator.ScramSha256 or SaslAuthenticator.ScramSha512))
            throw new ConfigException($"sasl.mechanism '{mechanism}' is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER.");
        if (!config.TryGetValue("sasl.username", out var user) || !config.TryGetValue("sasl.password", out var password))
            throw new ConfigException($"sasl.mechanism {mechanism} needs sasl.username and sasl.password.");
        return this with { Mechanism = mechanism, Username = user, Password = password };
    }

    private static string Get(IReadOnlyDictionary<string, string> config, string key, string fallback) => config.TryGetValue(key, out var value) ? value : fallback;

    private static bool Is(string value, string expected) => value.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
