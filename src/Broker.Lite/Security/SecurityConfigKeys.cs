using Broker.Lite.Metadata;

namespace Broker.Lite.Security;

/// <summary>
/// Kafka's configuration keys for listeners, TLS, SASL, access control, quotas and connection limits, as far as this broker acts on them.
/// </summary>
internal static class SecurityConfigKeys
{
    public const string Listeners = "listeners";
    public const string AdvertisedListeners = "advertised.listeners";
    public const string ProtocolMap = "listener.security.protocol.map";
    public const string MaxConnectionsPerIp = "max.connections.per.ip";
    public const string MaxConnectionsPerIpOverrides = "max.connections.per.ip.overrides";
    public const string KeystoreType = "ssl.keystore.type";
    public const string KeystoreLocation = "ssl.keystore.location";
    public const string KeystorePassword = "ssl.keystore.password";
    public const string KeystoreKey = "ssl.keystore.key";
    public const string KeystoreCertificateChain = "ssl.keystore.certificate.chain";
    public const string KeyPassword = "ssl.key.password";
    public const string TruststoreType = "ssl.truststore.type";
    public const string TruststoreLocation = "ssl.truststore.location";
    public const string TruststorePassword = "ssl.truststore.password";
    public const string TruststoreCertificates = "ssl.truststore.certificates";
    public const string ClientAuth = "ssl.client.auth";
    public const string EnabledProtocols = "ssl.enabled.protocols";
    public const string PrincipalMappingRules = "ssl.principal.mapping.rules";
    public const string SaslEnabledMechanisms = "sasl.enabled.mechanisms";
    public const string SaslJaasConfig = "sasl.jaas.config";
    public const string KerberosMinTimeBeforeRelogin = "sasl.kerberos.min.time.before.relogin";
    public const string MaxReauthMs = "connections.max.reauth.ms";
    public const string FailedAuthenticationDelayMs = "connection.failed.authentication.delay.ms";
    public const string OauthJwksUrl = "sasl.oauthbearer.jwks.endpoint.url";
    public const string OauthAudience = "sasl.oauthbearer.expected.audience";
    public const string OauthIssuer = "sasl.oauthbearer.expected.issuer";
    public const string OauthClockSkewSeconds = "sasl.oauthbearer.clock.skew.seconds";
    public const string OauthSubClaim = "sasl.oauthbearer.sub.claim.name";
    public const string AuthorizerClassName = "authorizer.class.name";
    public const string SuperUsers = "super.users";
    public const string AllowEveryoneIfNoAclFound = "allow.everyone.if.no.acl.found";
    public const string QuotaWindowCount = "quota.window.num";
    public const string QuotaWindowSeconds = "quota.window.size.seconds";

    /// <summary>Prefix of a key that holds for one listener only: <c>listener.name.{name in lower case}.</c>.</summary>
    public const string ListenerPrefix = "listener.name.";

    /// <summary>The SASL mechanisms this broker has, in Kafka's spelling.</summary>
    public static IReadOnlyList<string> Mechanisms { get; } = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

    /// <summary>The names of Kafka's own authorizers, all of which mean ours.</summary>
    private static readonly string[] _authorizers =
        ["", "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "kafka.security.authorizer.AclAuthorizer"];

    /// <summary>Every key, with type and default.</summary>
    public static IReadOnlyList<ConfigKey> All { get; } =
    [
        Text(Listeners, "", "Addresses to listen on, as NAME://host:port, comma-separated; empty: one plaintext listener or none, as the process was started."),
        Text(AdvertisedListeners, "", "What clients of each listener are told to connect to, as NAME://host:port; empty: what they connected to."),
        Text(ProtocolMap, "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL", "The security protocol of each listener name."),
        Number(ConfigType.Int, MaxConnectionsPerIp, "2147483647", "The most connections from one address at a time.", 0),
        Text(MaxConnectionsPerIpOverrides, "", "Other limits for some addresses, as address:count, comma-separated."),
        Choice(KeystoreType, "PKCS12", "Form of the broker's certificate and key: PKCS12 or PEM.", "PKCS12", "PEM"),
        Text(KeystoreLocation, "", "File with the broker's certificate, its chain and its private key."),
        Secret(KeystorePassword, "Password of the key store file."),
        Secret(KeystoreKey, "The private key itself, in PEM."),
        Text(KeystoreCertificateChain, "", "The certificate and its chain itself, in PEM."),
        Secret(KeyPassword, "Password of an encrypted private key in PEM."),
        Choice(TruststoreType, "PKCS12", "Form of the certificates that clients' certificates must lead to: PKCS12 or PEM.", "PKCS12", "PEM"),
        Text(TruststoreLocation, "", "File with the certificates that clients' certificates must lead to."),
        Secret(TruststorePassword, "Password of the trust store file."),
        Text(TruststoreCertificates, "", "The trusted certificates themselves, in PEM."),
        Choice(ClientAuth, "none", "Whether clients need a certificate: none, requested or required.", "none", "requested", "required"),
        new() { Name = EnabledProtocols, Type = ConfigType.List, Default = "TLSv1.2,TLSv1.3", Doc = "TLS versions accepted.", Allowed = ["TLSv1.2", "TLSv1.3"], ReadOnly = true },
        Text(PrincipalMappingRules, "DEFAULT", "How a certificate's subject becomes a user name: RULE:pattern/replacement/[LU] or DEFAULT, comma-separated, the first that matches."),
        // Kafka's default is GSSAPI, which this broker does not have; SCRAM lets nobody in until a user was made.
        new() { Name = SaslEnabledMechanisms, Type = ConfigType.List, Default = "SCRAM-SHA-256,SCRAM-SHA-512", Doc = "SASL mechanisms offered.", Allowed = Mechanisms, ReadOnly = true },
        Secret(SaslJaasConfig, "Users of PLAIN, in Kafka's form: a login module followed by user_NAME=\"password\" options. Per listener and mechanism."),
        Number(ConfigType.Long, MaxReauthMs, "0", "The longest time until a client must authenticate again, in milliseconds; 0: as long as its credentials last (KIP-368).", 0),
        Number(ConfigType.Int, FailedAuthenticationDelayMs, "100", "How long the answer to a failed authentication is held back, in milliseconds.", 0, 60_000),
        // One of the few broker settings that Kafka lets clients alter while it runs, which is why librdkafka's own tests do.
        Number(ConfigType.Long, KerberosMinTimeBeforeRelogin, "60000", "For Kerberos, which this broker does not have: kept and shown, without effect.", 0) with { ReadOnly = false },
        Text(OauthJwksUrl, "", "Keys that tokens must be signed with: a file URL of a JWKS document or of a PEM file."),
        Text(OauthAudience, "", "Audiences of which a token must name one, comma-separated; empty: not checked."),
        Text(OauthIssuer, "", "Issuer a token must have; empty: not checked."),
        Number(ConfigType.Int, OauthClockSkewSeconds, "30", "How far the issuer's clock may be off, in seconds.", 0, 3600),
        Text(OauthSubClaim, "sub", "The claim that holds the user's name."),
        Choice(AuthorizerClassName, "", "Access control: empty for none, or the class name of one of Kafka's authorizers.", _authorizers),
        Text(SuperUsers, "", "Principals that may do everything, as User:name, separated by semicolons."),
        Flag(AllowEveryoneIfNoAclFound, "false", "Whether a resource that no rule is about is open to everybody."),
        Number(ConfigType.Int, QuotaWindowCount, "11", "Windows over which quotas are averaged.", 1, 1000),
        Number(ConfigType.Int, QuotaWindowSeconds, "1", "Length of one such window, in seconds.", 1, 3600),
    ];

    private static readonly HashSet<string> _perListener = new(StringComparer.Ordinal)
    {
        BrokerConfigKeys.MaxConnections, SaslEnabledMechanisms, SaslJaasConfig, MaxReauthMs, OauthJwksUrl, OauthAudience, OauthIssuer,
        OauthClockSkewSeconds, OauthSubClaim, PrincipalMappingRules,
        KeystoreType, KeystoreLocation, KeystorePassword, KeystoreKey, KeystoreCertificateChain, KeyPassword,
        TruststoreType, TruststoreLocation, TruststorePassword, TruststoreCertificates, ClientAuth, EnabledProtocols,
    };

    /// <summary>Whether the key is one that holds for one listener only.</summary>
    public static bool IsPrefixed(string key) => key.StartsWith(ListenerPrefix, StringComparison.Ordinal);

    /// <summary>
    /// Splits <c>listener.name.internal.plain.sasl.jaas.config</c> into listener, mechanism (null if the key holds for all) and the plain
    /// key; false if that key cannot be set per listener.
    /// </summary>
    public static bool TrySplit(string key, out string listener, out string? mechanism, out string plainKey)
    {
        (listener, mechanism, plainKey) = ("", null, "");
        if (!IsPrefixed(key))
            return false;
        var rest = key[ListenerPrefix.Length..];
        // Listener names may have dots in theory; the shortest one that leaves a known key is meant.
        for (var dot = rest.IndexOf('.', StringComparison.Ordinal); dot > 0; dot = rest.IndexOf('.', dot + 1))
        {
            var tail = rest[(dot + 1)..];
            var owner = Mechanisms.FirstOrDefault(name => tail.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase));
            if (owner is not null)
                tail = tail[(owner.Length + 1)..];
            if (!_perListener.Contains(tail))
                continue;
            (listener, mechanism, plainKey) = (rest[..dot], owner, tail);
            return true;
        }

        return false;
    }

    private static ConfigKey Text(string name, string value, string doc) => new() { Name = name, Type = ConfigType.String, Default = value, Doc = doc, ReadOnly = true };

    private static ConfigKey Secret(string name, string doc) => new() { Name = name, Type = ConfigType.Password, Default = "", Doc = doc, ReadOnly = true };

    private static ConfigKey Flag(string name, string value, string doc) => new() { Name = name, Type = ConfigType.Boolean, Default = value, Doc = doc, ReadOnly = true };

    private static ConfigKey Choice(string name, string value, string doc, params string[] allowed) =>
        new() { Name = name, Type = ConfigType.String, Default = value, Doc = doc, Allowed = allowed, ReadOnly = true };

    private static ConfigKey Number(ConfigType type, string name, string value, string doc, long min, long max = long.MaxValue) =>
        new() { Name = name, Type = type, Default = value, Doc = doc, Min = min, Max = max, ReadOnly = true };
}
