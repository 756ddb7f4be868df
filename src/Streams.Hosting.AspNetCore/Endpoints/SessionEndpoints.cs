using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>The endpoints of a session store.</summary>
internal sealed class SessionEndpoints<K, V>
    where K : notnull
{
    private static readonly QueryableStoreType<IReadOnlySessionStore<K, V>> _storeType = QueryableStoreTypes.SessionStore<K, V>();

    private readonly StoreEndpoint<K> _endpoint;

    private SessionEndpoints(StoreEndpoint<K> endpoint) => _endpoint = endpoint;

    public static RouteGroupBuilder Map(StoreEndpoint<K> endpoint)
    {
        var endpoints = new SessionEndpoints<K, V>(endpoint);
        return endpoint.Map(endpoints.OneAsync, endpoints.ListAsync);
    }

    private Task OneAsync(HttpContext context, K key)
    {
        var (from, to) = Times(context);
        var limit = _endpoint.Limit(context.Request);
        return _endpoint.AnswerOneAsync(context, key, Read(store => store.FindSessions(key, from, to), limit), "from", "to", "limit");
    }

    private Task ListAsync(HttpContext context)
    {
        var (from, to) = Times(context);
        return Entries.AnswerAsync(_endpoint, context, hasCursor: false, (partition, _, limit) =>
            _endpoint.AskPartitionAsync(context, partition, Read(store => store.FindSessions(from, to), limit), "", Collect.Page(null, limit), "from", "to"));
    }

    private static (long From, long To) Times(HttpContext context) =>
        (StoreEndpoint<K>.Time(context.Request, "from") ?? 0, StoreEndpoint<K>.Time(context.Request, "to") ?? long.MaxValue);

    private StoreRead<IReadOnlySessionStore<K, V>, IReadOnlyList<KeyValuePair<Windowed<K>, V>>> Read(
        Func<IReadOnlySessionStore<K, V>, IKeyValueIterator<Windowed<K>, V>> find, int limit)
    {
        var json = _endpoint.TypeInfo<V>();
        return new(
            _storeType,
            store => Collect.UpTo(limit + 1, find(store)),
            sessions => Entries.Write(sessions, limit, null, (writer, session) =>
            {
                writer.WritePropertyName("key");
                JsonSerializer.Serialize(writer, session.Key.Key, _endpoint.KeyJson);
                writer.WriteNumber("start", session.Key.Window.StartMs);
                writer.WriteNumber("end", session.Key.Window.EndMs);
                writer.WritePropertyName("value");
                JsonSerializer.Serialize(writer, session.Value, json);
            }));
    }
}
