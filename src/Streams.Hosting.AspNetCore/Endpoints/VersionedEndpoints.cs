using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>The endpoints of a versioned store.</summary>
internal sealed class VersionedEndpoints<K, V>
    where K : notnull
{
    private readonly StoreEndpoint<K> _endpoint;

    private VersionedEndpoints(StoreEndpoint<K> endpoint) => _endpoint = endpoint;

    public static RouteGroupBuilder Map(StoreEndpoint<K> endpoint) => endpoint.Map(new VersionedEndpoints<K, V>(endpoint).OneAsync, list: null);

    private Task OneAsync(HttpContext context, K key)
    {
        var json = _endpoint.TypeInfo<V>();
        var asOf = StoreEndpoint<K>.Time(context.Request, "asOf");
        var read = new StoreRead<IReadOnlyVersionedKeyValueStore<K, V>, VersionedRecord<V>?>(
            QueryableStoreTypes.VersionedKeyValueStore<K, V>(),
            store => (asOf is { } time ? store.TryGet(key, time, out var version) : store.TryGet(key, out version)) ? version : null,
            version => version is not { } found ? null : JsonText.Write(writer =>
            {
                writer.WritePropertyName("value");
                JsonSerializer.Serialize(writer, found.Value, json);
                writer.WriteNumber("timestamp", found.Timestamp);
                if (found.ValidTo is { } validTo) writer.WriteNumber("validTo", validTo);
                else writer.WriteNull("validTo");
            }));
        return _endpoint.AnswerOneAsync(context, key, read, "asOf");
    }
}
