using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>The endpoints of a window store.</summary>
internal sealed class WindowEndpoints<K, V>
    where K : notnull
{
    private static readonly QueryableStoreType<IReadOnlyWindowStore<K, V>> _storeType = QueryableStoreTypes.WindowStore<K, V>();

    private readonly StoreEndpoint<K> _endpoint;

    private WindowEndpoints(StoreEndpoint<K> endpoint) => _endpoint = endpoint;

    public static RouteGroupBuilder Map(StoreEndpoint<K> endpoint)
    {
        var endpoints = new WindowEndpoints<K, V>(endpoint);
        return endpoint.Map(endpoints.OneAsync, endpoints.ListAsync);
    }

    private Task OneAsync(HttpContext context, K key)
    {
        var request = context.Request;
        if (StoreEndpoint<K>.Time(request, "at") is { } at)
        {
            var valueJson = _endpoint.TypeInfo<V>();
            return _endpoint.AnswerOneAsync(
                context,
                key,
                new StoreRead<IReadOnlyWindowStore<K, V>, Optional<V>>(
                    _storeType,
                    store => store.TryFetch(key, at, out var value) ? new Optional<V>(value) : default,
                    value => value.HasValue ? JsonSerializer.SerializeToUtf8Bytes(value.Value, valueJson) : null),
                "at");
        }

        var from = StoreEndpoint<K>.Time(request, "from") ?? 0;
        var to = StoreEndpoint<K>.Time(request, "to") ?? long.MaxValue;
        var limit = _endpoint.Limit(request);
        var write = Writer();
        return _endpoint.AnswerOneAsync(
            context,
            key,
            new StoreRead<IReadOnlyWindowStore<K, V>, IReadOnlyList<KeyValuePair<long, V>>>(
                _storeType,
                store => Collect.UpTo(limit + 1, store.Fetch(key, from, to)),
                windows => Entries.Write(windows, limit, null, (writer, window) => write(writer, key, window.Key, window.Value))),
            "from",
            "to",
            "limit");
    }

    private Task ListAsync(HttpContext context)
    {
        var from = StoreEndpoint<K>.Time(context.Request, "from") ?? 0;
        var to = StoreEndpoint<K>.Time(context.Request, "to") ?? long.MaxValue;
        var write = Writer();
        return Entries.AnswerAsync(_endpoint, context, hasCursor: false, (partition, _, limit) => _endpoint.AskPartitionAsync(
            context,
            partition,
            new StoreRead<IReadOnlyWindowStore<K, V>, IReadOnlyList<KeyValuePair<Windowed<K>, V>>>(
                _storeType,
                store => Collect.UpTo(limit + 1, store.FetchAll(from, to)),
                windows => Entries.Write(windows, limit, null, (writer, window) => write(writer, window.Key.Key, window.Key.Window.StartMs, window.Value))),
            "",
            Collect.Page(null, limit),
            "from",
            "to"));
    }

    private Action<Utf8JsonWriter, K, long, V> Writer()
    {
        var json = _endpoint.TypeInfo<V>();
        return (writer, key, start, value) =>
        {
            writer.WritePropertyName("key");
            JsonSerializer.Serialize(writer, key, _endpoint.KeyJson);
            writer.WriteNumber("start", start);
            writer.WritePropertyName("value");
            JsonSerializer.Serialize(writer, value, json);
        };
    }
}
