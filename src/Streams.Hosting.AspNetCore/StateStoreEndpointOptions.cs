using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Streams.Core;

namespace Streams.Hosting.AspNetCore;

/// <summary>How a store is served over HTTP.</summary>
/// <typeparam name="K">Key type of the store; of window and session stores, the type of the grouping key.</typeparam>
public sealed record StateStoreEndpointOptions<K>
    where K : notnull
{
    /// <summary>Name of the application in this host; <c>null</c> (default) for the first one, or the only <see cref="KafkaStreams"/> among the services.</summary>
    public string? Application { get; init; }

    /// <summary>Route of the store; <c>null</c> (default) for <c>/</c> and its name. It must be the same on all instances.</summary>
    public string? Pattern { get; init; }

    /// <summary>Serde of the keys; <c>null</c> (default) for the service <c>ISerde&lt;K&gt;</c>, else the built-in one. It must write what the store's own serde writes.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>
    /// Reads a key from its text; throws <see cref="FormatException"/> where the text is none. <c>null</c> (default): text as it is, numbers, <c>true</c> and <c>false</c>,
    /// Guids, dates and times (ISO 8601), enum members by name; other types as JSON.
    /// </summary>
    public Func<string, K>? ParseKey { get; init; }

    /// <summary>Chooses the partition of a key among so many, as the producer of the store's input does; <c>null</c> (default) for Kafka's default partitioning.</summary>
    public Func<K, int, int>? Partitioner { get; init; }

    /// <summary>How keys and values look in JSON; <c>null</c> (default) for ASP.NET Core's <see cref="JsonOptions"/>. Needs their types, where the program is trimmed.</summary>
    public JsonSerializerOptions? Json { get; init; }

    /// <summary>
    /// How long a request waits for somebody who can answer, while the group rebalances or a store is being restored (default 10 s; at most 5 min); then the
    /// answer is 503 with <c>Retry-After</c>. 0 does not wait.
    /// </summary>
    public TimeSpan RetryTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one other instance may take to answer before the next one is asked (default 5 s; at most 5 min).</summary>
    public TimeSpan ForwardTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many changelog records a standby, or a store that is being restored, may be behind to answer in place of an active task that cannot (KIP-535).
    /// <c>null</c> (default): only active tasks answer; <see cref="long.MaxValue"/>: however far, also when it is not known. The lag is at most a second old.
    /// </summary>
    public long? MaxStaleLag { get; init; }

    /// <summary>Whether requests to other instances carry the <c>Authorization</c> header of the request that they are for (default: no).</summary>
    public bool ForwardAuthorization { get; init; }

    /// <summary>Scheme of the addresses in <see cref="StreamsConfig.ApplicationServer"/>: <c>http</c> (default) or <c>https</c>.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>Entries of an answer where the request does not say (default 100).</summary>
    public int DefaultLimit { get; init; } = 100;

    /// <summary>Most entries of an answer (default 1,000; at most 10,000). A task does not process while its entries are read.</summary>
    public int MaxLimit { get; init; } = 1000;

    /// <summary>Requests that may wait at the same time (default 1,000); further ones get their 503 at once.</summary>
    public int MaxWaiting { get; init; } = 1000;

    internal void Validate()
    {
        var longest = TimeSpan.FromMinutes(5);
        if (RetryTimeout < TimeSpan.Zero || RetryTimeout > longest) throw new ArgumentOutOfRangeException(nameof(RetryTimeout), RetryTimeout, "0 to 5 minutes are allowed.");
        if (ForwardTimeout <= TimeSpan.Zero || ForwardTimeout > longest) throw new ArgumentOutOfRangeException(nameof(ForwardTimeout), ForwardTimeout, "More than 0, and up to 5 minutes, are allowed.");
        if (MaxStaleLag < 0) throw new ArgumentOutOfRangeException(nameof(MaxStaleLag), MaxStaleLag, "At least 0 is allowed.");
        if (Scheme is not ("http" or "https")) throw new ArgumentOutOfRangeException(nameof(Scheme), Scheme, "http and https are allowed.");
        if (MaxLimit is < 1 or > StoreQuery.DefaultLimit) throw new ArgumentOutOfRangeException(nameof(MaxLimit), MaxLimit, $"1 to {StoreQuery.DefaultLimit} are allowed.");
        if (DefaultLimit < 1 || DefaultLimit > MaxLimit) throw new ArgumentOutOfRangeException(nameof(DefaultLimit), DefaultLimit, $"1 to MaxLimit ({MaxLimit}) are allowed.");
        ArgumentOutOfRangeException.ThrowIfNegative(MaxWaiting);
    }
}
