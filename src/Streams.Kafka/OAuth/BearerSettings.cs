using Streams.Core;

namespace Streams.Kafka.OAuth;

/// <summary>Where tokens come from, by librdkafka's settings: a provider, an OpenID Connect token endpoint (KIP-768), or unsecured ones for trying things out (KIP-255).</summary>
internal static class BearerSettings
{
    private const string Method = "sasl.oauthbearer.method";
    private const string Unsecured = "enable.sasl.oauthbearer.unsecure.jwt";
    private const string UnsecuredConfig = "sasl.oauthbearer.config";
    private const string Endpoint = "sasl.oauthbearer.token.endpoint.url";
    private const string ClientId = "sasl.oauthbearer.client.id";
    private const string ClientSecret = "sasl.oauthbearer.client.secret";
    private const string Scope = "sasl.oauthbearer.scope";
    private const string Extensions = "sasl.oauthbearer.extensions";

    private static readonly string[] _all = [Method, Unsecured, UnsecuredConfig, Endpoint, ClientId, ClientSecret, Scope, Extensions];

    /// <exception cref="ConfigException">Nothing says where tokens come from, two things do, or a value is wrong.</exception>
    public static BearerTokens From(IReadOnlyDictionary<string, string> config, Func<CancellationToken, Task<OAuthBearerToken>>? provider, TimeProvider time)
    {
        var method = config.GetValueOrDefault(Method, "default");
        var isOidc = method.Equals("oidc", StringComparison.OrdinalIgnoreCase);
        if (!isOidc && !method.Equals("default", StringComparison.OrdinalIgnoreCase)) throw new ConfigException($"{Method} is '{method}': default and oidc are allowed.");
        var isUnsecured = config.TryGetValue(Unsecured, out var text) && (bool.TryParse(text, out var value) ? value : throw new ConfigException($"{Unsecured} is '{text}', neither true nor false."));
        return (provider, isOidc, isUnsecured) switch
        {
            (not null, false, false) => new BearerTokens(provider, time),
            (null, true, false) => new BearerTokens(
                new OidcTokens(
                    Url(Needed(config, Endpoint)),
                    Needed(config, ClientId),
                    Needed(config, ClientSecret),
                    config.GetValueOrDefault(Scope),
                    config.TryGetValue(Extensions, out var pairs) ? Pairs(pairs, ',', Extensions) : [],
                    time).FetchAsync,
                time),
            (null, false, true) => new BearerTokens(UnsecuredTokens.From(Pairs(config.GetValueOrDefault(UnsecuredConfig, ""), ' ', UnsecuredConfig), UnsecuredConfig, time), time),
            (null, false, false) => throw new ConfigException(
                $"sasl.mechanism OAUTHBEARER needs somewhere to get tokens from: a token provider given to KafkaCluster, {Method} = oidc with its endpoint, or {Unsecured} = true for trying things out."),
            _ => throw new ConfigException($"Tokens come from one place: a token provider, {Method} = oidc, or {Unsecured} = true; here are two."),
        };
    }

    /// <summary>Takes out what is only about where tokens come from: Confluent.Kafka's clients get them from <see cref="BearerTokens.Refresh"/>.</summary>
    public static void RemoveFrom(Dictionary<string, string> config)
    {
        foreach (var key in _all) config.Remove(key);
    }

    private static string Needed(IReadOnlyDictionary<string, string> config, string key) =>
        config.GetValueOrDefault(key) is { Length: > 0 } value ? value : throw new ConfigException($"{Method} = oidc needs {key}.");

    private static Uri Url(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : throw new ConfigException($"{Endpoint} is '{text}', not an http or https address.");

    private static Dictionary<string, string> Pairs(string text, char separator, string setting)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || !pairs.TryAdd(part[..at], part[(at + 1)..])) throw new ConfigException($"{setting} has '{part}': name=value is wanted, each name once.");
        }

        return pairs;
    }
}
