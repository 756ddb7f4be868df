using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Broker.Lite.Tests.Security;

namespace Interop;

/// <summary>
/// A broker with access rules that listens with TLS, with TLS and certificates of clients, with SASL, and with SASL over TLS. <c>admin</c>, holders of a certificate
/// for <c>CN=kcat</c> and whoever comes over TLS without one may do everything; <c>alice</c> what rules allow.
/// </summary>
public sealed class SecuredBroker : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("broker-lite-certificates-").FullName;
    private BrokerProcess? _broker;

    public string Tls { get; private set; } = "";

    public string MutualTls { get; private set; } = "";

    public string Sasl { get; private set; } = "";

    /// <summary>Where tokens are taken, as <c>oauth.py</c> wants to be told.</summary>
    public string Oauth { get; private set; } = "";

    /// <summary>The authority that issued the broker's certificate, and one that did not.</summary>
    public string Authority => Path.Combine(_folder, "authority.pem");

    public string OtherAuthority => Path.Combine(_folder, "other.pem");

    /// <summary>The file with a client's certificate and key: of <c>kcat</c>, <c>stranger</c>, or <c>forged</c>, whose issuer nobody trusts.</summary>
    public string CertificateOf(string client) => Path.Combine(_folder, client + ".pem");

    private string TokenKey => Path.Combine(_folder, "token-key.pem");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var authority = new TestCertificates();
        var other = new TestCertificates("CN=Other Authority");
        foreach (var (path, pem) in new[]
        {
            (Authority, authority.AuthorityPem),
            (OtherAuthority, other.AuthorityPem),
            (CertificateOf("broker"), authority.Issue("CN=broker")),
            (CertificateOf("kcat"), authority.Issue("CN=kcat", forClient: true)),
            (CertificateOf("stranger"), authority.Issue("CN=stranger", forClient: true)),
            (CertificateOf("forged"), other.Issue("CN=kcat", forClient: true)),
        })
        {
            await File.WriteAllTextAsync(path, pem, cancellation);
        }

        using var issuer = RSA.Create(2048);
        using var stranger = RSA.Create(2048);
        await File.WriteAllTextAsync(TokenKey, issuer.ExportSubjectPublicKeyInfoPem(), cancellation);
        foreach (var (name, token) in (List<(string, string)>)
        [
            ("admin", Token(issuer, "admin")),
            ("alice", Token(issuer, "alice")),
            ("expired", Token(issuer, "admin", seconds: -3600)),
            ("other-key", Token(stranger, "admin")),
            ("other-audience", Token(issuer, "admin", audience: "elsewhere")),
            ("unsigned", Token(null, "admin")),
            // Of these a test takes the one that ends soon when it gets its turn.
            .. Enumerable.Range(1, 120).Select(step => ($"short-{step}", Token(issuer, "admin", seconds: 5 * step))),
        ])
        {
            await File.WriteAllTextAsync(Path.Combine(_folder, name + ".jwt"), token, cancellation);
        }

        _broker = await BrokerProcess.StartWithListenersAsync(
            [
                "--add-scram", "SCRAM-SHA-256=[name=admin,password=admin-secret]",
                "--add-scram", "SCRAM-SHA-512=[name=admin,password=admin-secret]",
                "--add-scram", "SCRAM-SHA-256=[name=alice,password=alice-secret]",
            ],
            cancellation,
            "listeners=TLS://127.0.0.1:0,MUTUAL://127.0.0.1:0,SASL://127.0.0.1:0,SASLTLS://127.0.0.1:0",
            "listener.security.protocol.map=TLS:SSL,MUTUAL:SSL,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL",
            "ssl.keystore.type=PEM",
            "ssl.keystore.location=" + CertificateOf("broker"),
            "listener.name.mutual.ssl.client.auth=required",
            "listener.name.mutual.ssl.truststore.type=PEM",
            "listener.name.mutual.ssl.truststore.location=" + Authority,
            "listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/",
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "sasl.oauthbearer.jwks.endpoint.url=" + new Uri(TokenKey),
            "sasl.oauthbearer.expected.audience=kafka",
            "sasl.oauthbearer.clock.skew.seconds=0",
            "listener.name.sasltls.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_admin=\"admin-secret\";",
            "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_admin=\"admin-secret\";",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:admin;User:kcat;User:ANONYMOUS");
        Tls = await _broker.AddressOfAsync("TLS", cancellation);
        MutualTls = await _broker.AddressOfAsync("MUTUAL", cancellation);
        Sasl = await _broker.AddressOfAsync("SASL", cancellation);
        Oauth = JsonSerializer.Serialize(new { plain = Sasl, tls = await _broker.AddressOfAsync("SASLTLS", cancellation), folder = _folder });
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A token signed with RS256; without a key one that says it needs no signature.</summary>
    private static string Token(RSA? key, string subject, int seconds = 3600, string audience = "kafka")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(key is null ? """{"alg":"none"}""" : """{"alg":"RS256","typ":"JWT"}"""));
        var claims = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"sub":"{{subject}}","aud":"{{audience}}","iat":{{now}},"exp":{{now + seconds}}}"""));
        var signature = key is null ? "" : Base64Url.EncodeToString(key.SignData(Encoding.UTF8.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        return $"{header}.{claims}.{signature}";
    }
}
