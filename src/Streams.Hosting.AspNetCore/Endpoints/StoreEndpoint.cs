using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;
using Streams.Hosting.AspNetCore.Routing;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>What the endpoints of a store have in common, whatever its kind: whose a key is, what a request says, and what an answer looks like.</summary>
internal sealed class StoreEndpoint<K>
    where K : notnull
{
    public const string CountSegment = "$count";

    private const string ClientName = "Streams.Hosting.AspNetCore";

    private readonly IEndpointRouteBuilder _routes;
    private readonly IServiceProvider _services;
    private readonly StateStoreEndpointOptions<K> _options;
    private readonly ISerde<K> _keySerde;
    private readonly JsonSerializerOptions _json;
    private readonly Lazy<JsonTypeInfo<K>> _keyJson;
    private readonly StoreRouter _router;

    public StoreEndpoint(IEndpointRouteBuilder endpoints, string store, StateStoreEndpointOptions<K>? options)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrWhiteSpace(store);
        _options = options ?? new StateStoreEndpointOptions<K>();
        _options.Validate();
        Store = store;
        _routes = endpoints;
        _services = endpoints.ServiceProvider;
        _keySerde = _options.KeySerde ?? _services.GetService<ISerde<K>>() ?? (Serdes.TryGetBuiltIn<K>(out var builtIn) ? builtIn : null)
            ?? throw new ArgumentException($"Store '{store}' needs the serde of its keys: {typeof(K)} has no built-in one; set KeySerde, or register ISerde<{typeof(K).Name}>.", nameof(options));
        _json = _options.Json ?? _services.GetRequiredService<IOptions<Microsoft.AspNetCore.Http.Json.JsonOptions>>().Value.SerializerOptions;
        _keyJson = new Lazy<JsonTypeInfo<K>>(TypeInfo<K>);
        _router = new StoreRouter(
            store,
            new RouterSettings(_options.RetryTimeout, _options.ForwardTimeout, _options.MaxStaleLag, _options.MaxWaiting),
            new PeerClient(_services.GetService<IHttpClientFactory>() is { } clients ? () => clients.CreateClient(ClientName) : PeerClient.Shared, _options.Scheme),
            _services.GetService<TimeProvider>() ?? TimeProvider.System,
            (_services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger(ClientName));
    }

    public string Store { get; }

    public JsonTypeInfo<K> KeyJson => _keyJson.Value;

    /// <summary>The application, which is made when the host starts and not before.</summary>
    private KafkaStreams Streams => _options.Application is { } name ? _services.GetRequiredKeyedService<KafkaStreams>(name) : _services.GetRequiredService<KafkaStreams>();

    /// <summary>How values of a type look; needs no reflection where the options know the type.</summary>
    public JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)_json.GetTypeInfo(typeof(T));

    /// <summary>Maps the routes that all kinds of stores have, and those of the kind.</summary>
    /// <param name="one">Answers for a key.</param>
    /// <param name="list">Answers without one; <c>null</c> where there is no such thing.</param>
    public RouteGroupBuilder Map(Func<HttpContext, K, Task> one, Func<HttpContext, Task>? list)
    {
        var group = _routes.MapGroup(_options.Pattern ?? "/" + Store);
        group.MapGet("", context => GuardAsync(context, () =>
        {
            if (Text(context.Request, "key") is { } text) return one(context, Key(text));
            return list?.Invoke(context) ?? throw new BadRequestException($"Store '{Store}' is asked for one key: /{Store}/… or ?key=…");
        }));
        group.MapGet("/{key}", context => GuardAsync(context, () => one(context, Key(KeySegment(context.Request)))));
        group.MapGet("/$metadata", context => GuardAsync(context, () => WriteMetadataAsync(context)));
        group.MapGet("/$lag", context => GuardAsync(context, () => WriteLagAsync(context)));
        return group;
    }

    public static void MapGet(RouteGroupBuilder group, string pattern, Func<HttpContext, Task> handle) => group.MapGet(pattern, context => GuardAsync(context, () => handle(context)));

    public byte[] SerializeKey(K key)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        _keySerde.Serialize(key, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>A key from its bytes in a cursor.</summary>
    public K DeserializeKey(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return _keySerde.Deserialize(bytes);
        }
        catch (SerializationException)
        {
            throw new BadRequestException("The cursor is not one that this store gave out.");
        }
    }

    /// <summary>Asks the partition that a key is in, and gives its answer as it is.</summary>
    /// <param name="context">The request.</param>
    /// <param name="key">The key.</param>
    /// <param name="read">What to read.</param>
    /// <param name="parameters">Parameters of the request that another instance has to know.</param>
    public async Task AnswerOneAsync(HttpContext context, K key, StoreRead read, params string[] parameters)
    {
        var streams = Streams;
        var text = context.Request.RouteValues.ContainsKey("key") ? KeySegment(context.Request) : Text(context.Request, "key") ?? "";
        var partitioner = _options.Partitioner;
        var answer = await _router.AskAsync(
            streams,
            Request(
                context,
                read,
                () => partitioner is null ? streams.QueryMetadataForKey(Store, key, _keySerde) : streams.QueryMetadataForKey(Store, count => partitioner(key, count)),
                _ => ListPath(context.Request) + Query(context.Request, [("key", text)], parameters)),
            context.RequestAborted).ConfigureAwait(false);
        if (answer.Status == StatusCodes.Status404NotFound) WriteHeaders(context.Response, answer);
        if (answer.Status == StatusCodes.Status404NotFound) await ProblemAsync(context, StatusCodes.Status404NotFound, $"Store '{Store}' has no such key.").ConfigureAwait(false);
        else await WriteAsync(context, answer).ConfigureAwait(false);
    }

    /// <summary>Asks one partition for its part of a list.</summary>
    public Task<PartitionAnswer> AskPartitionAsync(HttpContext context, int partition, StoreRead read, string path, IEnumerable<(string Name, string Value)> own, params string[] parameters)
    {
        var streams = Streams;
        return _router.AskAsync(
            streams,
            Request(
                context,
                read,
                () => streams.QueryMetadataForKey(Store, _ => partition),
                index => ListPath(context.Request) + path + Query(context.Request, own.Append(("partition", index.ToString(CultureInfo.InvariantCulture))), parameters)),
            context.RequestAborted);
    }

    /// <summary>
    /// The partitions that a request is about: the one that it names, or all. A global store has one, of the number -1. <c>null</c>, and the answer is written, when their
    /// number is not known in time.
    /// </summary>
    public async Task<Range?> PartitionsAsync(HttpContext context)
    {
        var streams = Streams;
        var count = 0;
        KeyQueryMetadata Locate() => streams.QueryMetadataForKey(Store, known =>
        {
            count = known;
            return 0;
        });

        var found = await _router.FindAsync(Locate, StoreHeaders.HopOf(context.Request.Headers[StoreHeaders.Hop]), context.RequestAborted).ConfigureAwait(false);
        if (found is null)
        {
            await WriteAsync(context, new PartitionAnswer { Status = StatusCodes.Status503ServiceUnavailable, Reason = "This instance has no part in the group yet." }).ConfigureAwait(false);
            return null;
        }

        var isGlobal = found.Partition < 0;
        if (Text(context.Request, "partition") is not { } text) return isGlobal ? 0..1 : 0..count;
        var partition = Number(text, "partition", isGlobal ? 1 : count, minimum: 0, exclusive: true);
        return partition..(partition + 1);
    }

    /// <summary>Writes an answer, or why there is none.</summary>
    public static async Task WriteAsync(HttpContext context, PartitionAnswer answer)
    {
        if (answer.Status != StatusCodes.Status200OK)
        {
            if (answer.Status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
            await ProblemAsync(context, answer.Status, answer.Reason).ConfigureAwait(false);
            return;
        }

        WriteHeaders(context.Response, answer);
        await WriteJsonAsync(context, answer.Content).ConfigureAwait(false);
    }

    /// <summary>Writes what several partitions said together.</summary>
    /// <param name="context">The request.</param>
    /// <param name="content">JSON.</param>
    /// <param name="isStale">Whether any of it is stale.</param>
    /// <param name="lag">Most records that any of it is behind, as far as known.</param>
    public static Task WriteAllAsync(HttpContext context, byte[] content, bool isStale, long lag)
    {
        context.Response.Headers[StoreHeaders.Stale] = isStale ? "true" : "false";
        if (isStale) context.Response.Headers[StoreHeaders.Lag] = lag.ToString(CultureInfo.InvariantCulture);
        return WriteJsonAsync(context, content);
    }

    /// <summary>Entries that the answer may have.</summary>
    public int Limit(HttpRequest request) => Text(request, "limit") is { } text ? Math.Min(Number(text, "limit", int.MaxValue, minimum: 1), _options.MaxLimit) : _options.DefaultLimit;

    /// <summary>A time of the request in Unix milliseconds.</summary>
    public static long? Time(HttpRequest request, string name)
    {
        if (Text(request, name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)) return milliseconds;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time >= DateTimeOffset.UnixEpoch
            ? time.ToUnixTimeMilliseconds()
            : throw new BadRequestException($"'{name}' is '{text}': Unix milliseconds or a time of ISO 8601 (2026-01-31T12:00:00Z) are expected.");
    }

    /// <summary>A bound of a range of keys.</summary>
    public Optional<K> Bound(HttpRequest request, string name) => Text(request, name) is { } text ? new Optional<K>(Key(text)) : default;

    /// <summary>A parameter's text; <c>null</c> where it is absent.</summary>
    public static string? Text(HttpRequest request, string name)
    {
        if (!request.Query.TryGetValue(name, out var values)) return null;
        return values.Count == 1 ? values.ToString() : throw new BadRequestException($"'{name}' is given {values.Count} times.");
    }

    public static int Number(string text, string name, int maximum, int minimum, bool exclusive = false) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && (exclusive ? number < maximum : number <= maximum)
            ? number
            : throw new BadRequestException($"'{name}' is '{text}': a whole number from {minimum} to {(exclusive ? maximum - 1 : maximum)} is expected.");

    private static async Task GuardAsync(HttpContext context, Func<Task> handle)
    {
        try
        {
            await handle().ConfigureAwait(false);
        }
        catch (BadRequestException failure)
        {
            await ProblemAsync(context, StatusCodes.Status400BadRequest, failure.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has gone; there is nobody to tell.
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
    }

    private static void WriteHeaders(HttpResponse response, PartitionAnswer answer)
    {
        response.Headers[StoreHeaders.Partition] = answer.Partition.ToString(CultureInfo.InvariantCulture);
        response.Headers[StoreHeaders.Stale] = answer.IsStale ? "true" : "false";
        if (answer is { IsStale: true, Lag: { } lag }) response.Headers[StoreHeaders.Lag] = lag.ToString(CultureInfo.InvariantCulture);
        if (answer.Position.Length > 0) response.Headers[StoreHeaders.Position] = answer.Position;
    }

    private static async Task ProblemAsync(HttpContext context, int status, string detail)
    {
        var content = JsonText.Write(writer =>
        {
            writer.WriteNumber("status", status);
            writer.WriteString("title", Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status));
            writer.WriteString("detail", detail);
        });
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
    }

    // A slash in a key is %2F in the path, which the router leaves as it is: only the raw target says whether the key has a slash or the three signs %2F.
    private static string KeySegment(HttpRequest request)
    {
        var routed = (string?)request.RouteValues["key"] ?? "";
        if (!routed.Contains("%2F", StringComparison.OrdinalIgnoreCase)) return routed;
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var end = target.IndexOf('?', StringComparison.Ordinal);
        var path = (end < 0 ? target : target[..end]).TrimEnd('/');
        var raw = Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);

        // Where something has rewritten the path on the way, the raw target is about another one.
        return raw.Replace("/", "%2F", StringComparison.Ordinal).Equals(routed, StringComparison.OrdinalIgnoreCase) ? raw : routed.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Path of the store itself, from that of one of its routes.</summary>
    private static string ListPath(HttpRequest request)
    {
        var path = (request.PathBase + request.Path).ToUriComponent().TrimEnd('/');
        return request.RouteValues.ContainsKey("key") || path.EndsWith("/" + CountSegment, StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : path;
    }

    private static string Query(HttpRequest request, IEnumerable<(string Name, string Value)> own, string[] parameters)
    {
        var query = new StringBuilder();
        foreach (var (name, value) in own.Concat(parameters.Where(name => request.Query.ContainsKey(name)).Select(name => (Name: name, Value: request.Query[name].ToString()))))
            query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return query.ToString();
    }

    private K Key(string text)
    {
        try
        {
            return _options.ParseKey is { } parse ? parse(text) : KeyText.Parse(text, _keyJson);
        }
        catch (FormatException failure)
        {
            throw new BadRequestException($"'{text}' is not a key of store '{Store}', whose keys are of the type {typeof(K).Name}: {failure.Message}");
        }
    }

    private StoreRequest Request(HttpContext context, StoreRead read, Func<KeyQueryMetadata> locate, Func<int, string> path)
    {
        var headers = context.Request.Headers;
        var bound = headers[StoreHeaders.Position].ToString();
        return new StoreRequest(
            read, locate, path, StoreHeaders.HopOf(headers[StoreHeaders.Hop]), PositionText.Read(bound), bound, _options.ForwardAuthorization ? headers.Authorization.ToString() : "");
    }

    private async Task WriteMetadataAsync(HttpContext context)
    {
        if (await PartitionsAsync(context).ConfigureAwait(false) is not { } partitions) return;
        var streams = Streams;
        var content = JsonText.Write(writer =>
        {
            writer.WriteString("store", Store);
            writer.WriteString("instance", streams.ApplicationServer == HostInfo.Unavailable ? null : streams.ApplicationServer.ToString());
            writer.WriteStartArray("partitions");
            for (var partition = partitions.Start.Value; partition < partitions.End.Value; partition++)
            {
                var owner = streams.QueryMetadataForKey(Store, _ => partition);
                writer.WriteStartObject();
                writer.WriteNumber("partition", owner.Partition);
                writer.WriteString("active", owner.ActiveHost == HostInfo.Unavailable ? null : owner.ActiveHost.ToString());
                writer.WriteStartArray("standby");
                foreach (var host in owner.StandbyHosts) writer.WriteStringValue(host.ToString());
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
        await WriteJsonAsync(context, content).ConfigureAwait(false);
    }

    private async Task WriteLagAsync(HttpContext context)
    {
        IReadOnlyDictionary<string, IReadOnlyDictionary<int, LagInfo>> all;
        try
        {
            all = await Streams.AllLocalStorePartitionLagsAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is InvalidStateStoreException or ClusterException)
        {
            await WriteAsync(context, new PartitionAnswer { Status = StatusCodes.Status503ServiceUnavailable, Reason = failure.Message }).ConfigureAwait(false);
            return;
        }

        var content = JsonText.Write(writer =>
        {
            writer.WriteString("store", Store);
            writer.WriteStartArray("partitions");
            foreach (var (partition, lag) in all.GetValueOrDefault(Store, new Dictionary<int, LagInfo>()).OrderBy(entry => entry.Key))
            {
                writer.WriteStartObject();
                writer.WriteNumber("partition", partition);
                writer.WriteNumber("position", lag.CurrentOffsetPosition);
                writer.WriteNumber("end", lag.EndOffsetPosition);
                writer.WriteNumber("lag", lag.OffsetLag);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
        await WriteJsonAsync(context, content).ConfigureAwait(false);
    }

    private static async Task WriteJsonAsync(HttpContext context, byte[] content)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
    }
}
