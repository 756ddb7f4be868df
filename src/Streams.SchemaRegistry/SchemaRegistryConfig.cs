using Streams.Core;

namespace Streams.SchemaRegistry;

/// <summary>Where the registry is and how it is asked.</summary>
public sealed record SchemaRegistryConfig
{
    /// <summary>The registry's addresses; the next one is tried when one does not answer. At least one, http or https. Confluent: <c>schema.registry.url</c>.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>User and password for HTTP basic authentication; none by default. Confluent: <c>basic.auth.user.info</c>.</summary>
    public (string User, string Password)? BasicAuth { get; init; }

    /// <summary>Gives the token for bearer authentication, asked before each request, so that it can be renewed; none by default. Not together with <see cref="BasicAuth"/>.</summary>
    public Func<CancellationToken, ValueTask<string>>? BearerToken { get; init; }

    /// <summary>How long one request may take (default 10 s).</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a request is repeated after a failure that may pass (default 3, at most 100; 0 for never).</summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>Pause before the first repetition (default 200 ms); doubles with each, up to 5 s.</summary>
    public TimeSpan RetryBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Bound on schemas kept, and on ids kept (default 1000 each); the oldest go first. Confluent: <c>max.schemas.per.subject</c>.</summary>
    public int MaxCachedSchemas { get; init; } = 1000;

    /// <summary>Bound on the size of an answer (default 4 MiB); a larger one is an error.</summary>
    public int MaxResponseBytes { get; init; } = 4 << 20;

    /// <summary>Sends the requests, for certificates, proxies and tests; the base library's by default. The client disposes only its own.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Clock of time limits and pauses.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>A configuration from a comma-separated list of addresses.</summary>
    /// <exception cref="ConfigException">An address is not an absolute http or https URL.</exception>
    public static SchemaRegistryConfig At(string urls)
    {
        ArgumentNullException.ThrowIfNull(urls);
        var parsed = new List<Uri>();
        foreach (var text in urls.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url)) throw new ConfigException($"'{text}' is not the URL of a schema registry.");
            parsed.Add(url);
        }

        var config = new SchemaRegistryConfig { Urls = parsed };
        config.Validate();
        return config;
    }

    /// <summary>Checks everything.</summary>
    /// <exception cref="ConfigException">Names everything that is wrong.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Urls.Count == 0) faults.Add("no URL of a schema registry is given");
        foreach (var url in Urls)
        {
            if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)) faults.Add($"'{url}' is not an absolute http or https URL");
        }

        if (BasicAuth is not null && BearerToken is not null) faults.Add($"{nameof(BasicAuth)} and {nameof(BearerToken)} are both given; a request carries one of them");
        if (BasicAuth is { } auth && auth.User.Contains(':', StringComparison.Ordinal)) faults.Add("a user name of basic authentication cannot contain ':'");
        if (RequestTimeout <= TimeSpan.Zero || RequestTimeout > TimeSpan.FromHours(1)) faults.Add($"{nameof(RequestTimeout)} is {RequestTimeout}, not between 0 and 1 h");
        if (MaxRetries is < 0 or > 100) faults.Add($"{nameof(MaxRetries)} is {MaxRetries}, not between 0 and 100");
        if (RetryBackoff < TimeSpan.Zero || RetryBackoff > TimeSpan.FromMinutes(1)) faults.Add($"{nameof(RetryBackoff)} is {RetryBackoff}, not between 0 and 1 min");
        if (MaxCachedSchemas < 1) faults.Add($"{nameof(MaxCachedSchemas)} is {MaxCachedSchemas}, not at least 1");
        if (MaxResponseBytes < 1024) faults.Add($"{nameof(MaxResponseBytes)} is {MaxResponseBytes}, not at least 1024");
        if (faults.Count > 0) throw new ConfigException($"The schema registry's configuration is wrong: {string.Join("; ", faults)}.");
    }
}
