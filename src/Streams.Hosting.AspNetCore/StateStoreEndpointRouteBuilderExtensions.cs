using Microsoft.AspNetCore.Routing;
using Streams.Core;
using Streams.Hosting.AspNetCore.Endpoints;

namespace Streams.Hosting.AspNetCore;

/// <summary>
/// Serves state stores over HTTP, each under the path <c>/</c> and its name: whichever instance is asked, the one that has the key answers.
/// </summary>
/// <remarks>
/// <para>
/// <c>GET /store/{key}</c> and <c>GET /store?key=…</c> look one key up (the second works for every key, also for an empty one or <c>..</c>), <c>GET /store</c> lists
/// entries, <c>GET /store/$count</c> says about how many there are, <c>GET /store/$metadata</c> who has which partition, and <c>GET /store/$lag</c> how far the
/// partitions of the instance that is asked are behind. <c>partition=</c> restricts a list or a count to one partition.
/// </para>
/// <para>
/// Instances reach each other at their <see cref="StreamsConfig.ApplicationServer"/>; without it only what is on the asked instance is found. A request goes to one other
/// instance at most. While the group rebalances or a store is being restored, requests wait (<see cref="StateStoreEndpointOptions{K}.RetryTimeout"/>), or are answered by a
/// standby (<see cref="StateStoreEndpointOptions{K}.MaxStaleLag"/>).
/// </para>
/// <para>
/// Headers of an answer: <c>Streams-Partition</c>, <c>Streams-Stale</c> (<c>true</c> or <c>false</c>), <c>Streams-Lag</c> (of stale answers, in records, where known),
/// <c>Streams-Position</c> (the input that the answer contains; sent back with a later request, that one waits until its answer contains as much).
/// Status: 404 for an absent key; 400 for a key or parameter that cannot be read; 502 when the instance that has the key refuses this one; 503 with <c>Retry-After</c> when
/// nobody could answer in time. Problems are described as JSON (RFC 9457).
/// </para>
/// <para>
/// The requests run through the pipeline like any other, so the returned group takes <c>RequireAuthorization()</c> and the like; credentials are passed on between
/// instances only with <see cref="StateStoreEndpointOptions{K}.ForwardAuthorization"/>. Where <see cref="IHttpClientFactory"/> is among the services, other instances are asked
/// with its client named <c>Streams.Hosting.AspNetCore</c>.
/// </para>
/// </remarks>
public static class StateStoreEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Serves a key-value store. A key gives its value as JSON. The list takes <c>from</c>, <c>to</c> (inclusive), <c>limit</c> and <c>cursor</c> and gives
    /// <c>{"entries":[{"key":…,"value":…}],"next":…}</c>: partition by partition, within one in the order of the keys' bytes. <c>next</c> is the cursor of the next page, and
    /// absent on the last one.
    /// </summary>
    /// <typeparam name="K">Key type.</typeparam>
    /// <typeparam name="V">Value type.</typeparam>
    /// <param name="endpoints">The web application, or a group of its routes.</param>
    /// <param name="store">Name of the store; of a table, that in <c>Materialized.As</c>.</param>
    /// <param name="options">How; <c>null</c> for the defaults.</param>
    /// <returns>The routes of the store, to add conventions to.</returns>
    /// <exception cref="ArgumentException">Options are out of bounds, or there is no serde for the keys.</exception>
    public static RouteGroupBuilder MapStateStore<K, V>(this IEndpointRouteBuilder endpoints, string store, StateStoreEndpointOptions<K>? options = null)
        where K : notnull =>
        KeyValueEndpoints<K, V>.Map(new StoreEndpoint<K>(endpoints, store, options));

    /// <summary>
    /// Serves a window store. A key with <c>at</c> (start of a window) gives its value; without, its windows that start between <c>from</c> and <c>to</c> (inclusive). The
    /// list gives windows of all keys. Both take <c>limit</c> and give <c>{"entries":[{"key":…,"start":…,"value":…}]}</c>, with <c>"truncated":true</c> where there
    /// were more. Times are Unix milliseconds or ISO 8601.
    /// </summary>
    /// <inheritdoc cref="MapStateStore{K, V}"/>
    public static RouteGroupBuilder MapWindowStore<K, V>(this IEndpointRouteBuilder endpoints, string store, StateStoreEndpointOptions<K>? options = null)
        where K : notnull =>
        WindowEndpoints<K, V>.Map(new StoreEndpoint<K>(endpoints, store, options));

    /// <summary>
    /// Serves a session store. A key gives its sessions that overlap <c>from</c> to <c>to</c>; the list gives those of all keys that end in it. Otherwise as
    /// <see cref="MapWindowStore{K, V}"/>, with <c>start</c> and <c>end</c>.
    /// </summary>
    /// <inheritdoc cref="MapStateStore{K, V}"/>
    public static RouteGroupBuilder MapSessionStore<K, V>(this IEndpointRouteBuilder endpoints, string store, StateStoreEndpointOptions<K>? options = null)
        where K : notnull =>
        SessionEndpoints<K, V>.Map(new StoreEndpoint<K>(endpoints, store, options));

    /// <summary>
    /// Serves a versioned store. A key gives <c>{"value":…,"timestamp":…,"validTo":…}</c>, the latest version, or the one that held at <c>asOf</c> (Unix milliseconds or ISO
    /// 8601). Such a store cannot list its keys.
    /// </summary>
    /// <inheritdoc cref="MapStateStore{K, V}"/>
    public static RouteGroupBuilder MapVersionedStore<K, V>(this IEndpointRouteBuilder endpoints, string store, StateStoreEndpointOptions<K>? options = null)
        where K : notnull =>
        VersionedEndpoints<K, V>.Map(new StoreEndpoint<K>(endpoints, store, options));
}
