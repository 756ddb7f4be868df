namespace Broker.Lite.Security;

/// <summary>Kafka's names of <see cref="SecurityProtocol"/> and what each one includes.</summary>
internal static class SecurityProtocols
{
    public static IReadOnlyDictionary<string, SecurityProtocol> ByName { get; } = new Dictionary<string, SecurityProtocol>(StringComparer.OrdinalIgnoreCase)
    {
        ["PLAINTEXT"] = SecurityProtocol.Plaintext,
        ["SSL"] = SecurityProtocol.Ssl,
        ["SASL_PLAINTEXT"] = SecurityProtocol.SaslPlaintext,
        ["SASL_SSL"] = SecurityProtocol.SaslSsl,
    };

    public static bool HasTls(this SecurityProtocol protocol) => protocol is SecurityProtocol.Ssl or SecurityProtocol.SaslSsl;

    public static bool HasSasl(this SecurityProtocol protocol) => protocol is SecurityProtocol.SaslPlaintext or SecurityProtocol.SaslSsl;

    public static string Name(this SecurityProtocol protocol) => ByName.First(entry => entry.Value == protocol).Key;
}
