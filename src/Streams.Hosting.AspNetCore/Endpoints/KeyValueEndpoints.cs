using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>The endpoints of a key-value store.</summary>
internal sealed class KeyValueEndpoints<K, V>
    where K : notnull
{
    private static readonly QueryableStoreType<IReadOnlyKeyValueStore<K, V>> _storeType = QueryableStoreTypes.KeyValueStore<K, V>();

    private readonly StoreEndpoint<K> _endpoint;

    private KeyValueEndpoints(StoreEndpoint<K> endpoint) => _endpoint = endpoint;

    public static RouteGroupBuilder Map(StoreEndpoint<K> endpoint)
    {
        var endpoints = new KeyValueEndpoints<K, V>(endpoint);
        var group = endpoint.Map(endpoints.OneAsync, endpoints.ListAsync);
        StoreEndpoint<K>.MapGet(group, "/" + StoreEndpoint<K>.CountSegment, endpoints.CountAsync);
        return group;
    }

    private Task OneAsync(HttpContext context, K key)
    {
        var json = _endpoint.TypeInfo<V>();
        var read = new StoreRead<IReadOnlyKeyValueStore<K, V>, Optional<V>>(
            _storeType,
            store => store.TryGet(key, out var value) ? new Optional<V>(value) : default,
            value => value.HasValue ? JsonSerializer.SerializeToUtf8Bytes(value.Value, json) : null);
        return _endpoint.AnswerOneAsync(context, key, read);
    }

    private Task ListAsync(HttpContext context)
    {
        var json = _endpoint.TypeInfo<V>();
        var from = _endpoint.Bound(context.Request, "from");
        var to = _endpoint.Bound(context.Request, "to");
        return Entries.AnswerAsync(_endpoint, context, hasCursor: true, (partition, cursor, limit) =>
        {
            var after = cursor is null ? null : Entries.KeyOf(cursor);
            var begin = after is null ? from : new Optional<K>(_endpoint.DeserializeKey(after));
            var read = new StoreRead<IReadOnlyKeyValueStore<K, V>, IReadOnlyList<KeyValuePair<K, V>>>(
                _storeType,
                store => Collect.UpTo(limit + 1, store.Range(begin, to), key => after is not null && _endpoint.SerializeKey(key).AsSpan().SequenceEqual(after)),
                entries => Entries.Write(entries, limit, entry => Entries.CursorOf(partition, _endpoint.SerializeKey(entry.Key)), (writer, entry) =>
                {
                    writer.WritePropertyName("key");
                    JsonSerializer.Serialize(writer, entry.Key, _endpoint.KeyJson);
                    writer.WritePropertyName("value");
                    JsonSerializer.Serialize(writer, entry.Value, json);
                }));
            return _endpoint.AskPartitionAsync(context, partition, read, "", Collect.Page(cursor, limit), "from", "to");
        });
    }

    private async Task CountAsync(HttpContext context)
    {
        if (await _endpoint.PartitionsAsync(context).ConfigureAwait(false) is not { } partitions) return;
        var read = new StoreRead<IReadOnlyKeyValueStore<K, V>, long>(
            _storeType, store => store.ApproximateNumEntries, count => JsonText.Write(writer => writer.WriteNumber("approximateCount", count)));
        var (sum, isStale, lag) = (0L, false, 0L);
        for (var partition = partitions.Start.Value; partition < partitions.End.Value; partition++)
        {
            var answer = await _endpoint.AskPartitionAsync(context, partition, read, "/" + StoreEndpoint<K>.CountSegment, []).ConfigureAwait(false);
            if (!answer.IsAnswer || partitions.End.Value - partitions.Start.Value == 1)
            {
                await StoreEndpoint<K>.WriteAsync(context, answer).ConfigureAwait(false);
                return;
            }

            using var content = JsonDocument.Parse(answer.Content);
            var count = content.RootElement.GetProperty("approximateCount").GetInt64();
            sum = long.MaxValue - sum < count ? long.MaxValue : sum + count;
            isStale |= answer.IsStale;
            lag = Math.Max(lag, answer.Lag ?? 0);
        }

        await StoreEndpoint<K>.WriteAllAsync(context, JsonText.Write(writer => writer.WriteNumber("approximateCount", sum)), isStale, lag).ConfigureAwait(false);
    }
}
