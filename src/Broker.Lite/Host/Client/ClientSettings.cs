using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Broker.Lite.Security;
using Broker.Lite.Security.Sasl;
using Broker.Lite.Security.Tls;

namespace Broker.Lite.Host.Client;

/// <summary>
/// How the tool reaches a cluster: the settings of a client configuration file, under the names Java clients have, and where they have none
/// for a file, those of librdkafka.
/// </summary>
internal sealed class ClientSettings
{
    private const int DefaultPort = 9092;

    private static readonly HashSet<string> _known = new(StringComparer.Ordinal)
    {
        "bootstrap.servers", "client.id", "security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password", "sasl.jaas.config",
        "sasl.oauthbearer.token", "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password", "ssl.truststore.type",
        "ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.certificates", "ssl.keystore.type", "ssl.keystore.location",
        "ssl.keystore.password", "ssl.keystore.key", "ssl.keystore.certificate.chain", "ssl.endpoint.identification.algorithm",
        "enable.ssl.certificate.verification", "request.timeout.ms",
    };

    private readonly IReadOnlyDictionary<string, string> _values;

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ToolException">Some are unknown or wrong; all of them are named.</exception>
    public ClientSettings(IReadOnlyDictionary<string, string> values)
    {
        _values = values;
        var faults = values.Keys.Where(key => !_known.Contains(key)).Select(key => $"unknown client setting {key}").ToList();
        if (!SecurityProtocols.ByName.TryGetValue(Text("security.protocol", "PLAINTEXT"), out var protocol))
            faults.Add($"security.protocol must be one of {string.Join(", ", SecurityProtocols.ByName.Keys)}");
        Protocol = protocol;
        Mechanism = Text("sasl.mechanism", Text("sasl.mechanisms", "PLAIN"));
        if (protocol.HasSasl() && !SecurityConfigKeys.Mechanisms.Contains(Mechanism))
            faults.Add($"sasl.mechanism must be one of {string.Join(", ", SecurityConfigKeys.Mechanisms)}");
        foreach (var server in Text("bootstrap.servers", "localhost:9092").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (TryParse(server, out var address))
                Bootstrap.Add(address);
            else
                faults.Add($"'{server}' is not host:port");
        }

        if (Bootstrap.Count == 0)
            faults.Add("no bootstrap server is given");
        if (!int.TryParse(Text("request.timeout.ms", "30000"), NumberStyles.None, CultureInfo.InvariantCulture, out var timeout) || timeout == 0)
            faults.Add("request.timeout.ms must be a positive number");
        RequestTimeout = TimeSpan.FromMilliseconds(timeout);
        if (faults.Count > 0)
            throw new ToolException(string.Join(Environment.NewLine, faults));
        try
        {
            var options = JaasConfig.Options(Text("sasl.jaas.config", ""));
            User = Text("sasl.username", options.GetValueOrDefault("username", ""));
            Password = Text("sasl.password", options.GetValueOrDefault("password", ""));
        }
        catch (FormatException e)
        {
            throw new ToolException($"sasl.jaas.config: {e.Message}", e);
        }
    }

    public List<(string Host, int Port)> Bootstrap { get; } = [];

    public SecurityProtocol Protocol { get; }

    public string Mechanism { get; }

    public string User { get; }

    public string Password { get; }

    public string Token => Text("sasl.oauthbearer.token", "");

    public string ClientId => Text("client.id", "broker-tool");

    public TimeSpan RequestTimeout { get; }

    /// <summary>Whether the broker's certificate must be for the name connected to.</summary>
    public bool ChecksName => Text("ssl.endpoint.identification.algorithm", "https").Length > 0;

    public bool ChecksCertificate => Text("enable.ssl.certificate.verification", "true") != "false";

    /// <summary>The certificates trusted; empty: the system's.</summary>
    public X509Certificate2Collection Trusted()
    {
        if (Text("ssl.truststore.certificates", "") is { Length: > 0 } inline)
            return PemText.Certificates(inline);
        if (Text("ssl.ca.location", "") is { Length: > 0 } ca)
            return PemText.Certificates(File.ReadAllText(ca));
        if (Text("ssl.truststore.location", "") is not { Length: > 0 } store)
            return [];
        return Text("ssl.truststore.type", "PKCS12") == "PEM"
            ? PemText.Certificates(File.ReadAllText(store))
            : X509CertificateLoader.LoadPkcs12CollectionFromFile(store, Text("ssl.truststore.password", ""));
    }

    /// <summary>The client's own certificate; null without.</summary>
    public X509Certificate2? Identity()
    {
        var password = Text("ssl.key.password", "");
        if (Text("ssl.keystore.certificate.chain", "") is { Length: > 0 } chain)
            return PemText.Identity(chain, Text("ssl.keystore.key", ""), password).Own;
        if (Text("ssl.certificate.location", "") is { Length: > 0 } certificate)
            return PemText.Identity(File.ReadAllText(certificate), File.ReadAllText(Text("ssl.key.location", certificate)), password).Own;
        if (Text("ssl.keystore.location", "") is not { Length: > 0 } store)
            return null;
        if (Text("ssl.keystore.type", "PKCS12") != "PEM")
            return X509CertificateLoader.LoadPkcs12FromFile(store, Text("ssl.keystore.password", ""));
        var text = File.ReadAllText(store);
        return PemText.Identity(text, text, password).Own;
    }

    private string Text(string key, string otherwise) => _values.GetValueOrDefault(key, otherwise);

    private static bool TryParse(string server, out (string Host, int Port) address)
    {
        var colon = server.EndsWith(']') ? -1 : server.LastIndexOf(':');
        var port = DefaultPort;
        var isFine = colon < 0 || int.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port);
        address = ((colon < 0 ? server : server[..colon]).Trim('[', ']'), port);
        return isFine && address.Host.Length > 0 && port is > 0 and <= 65535;
    }
}
