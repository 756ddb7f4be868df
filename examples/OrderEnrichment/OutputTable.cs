using Streams.Client;
using Streams.Core;

namespace OrderEnrichment;

/// <summary>An output topic read as the table that it is: the last value of each key.</summary>
internal sealed class OutputTable<V> : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly Consumer<string, V> _consumer;
    private readonly string _topic;
    private bool _isSubscribed;

    public OutputTable(ICluster cluster, string topic, ISerde<V> serde)
    {
        _topic = topic;
        _consumer = new Consumer<string, V>(cluster, new ConsumerSettings { GroupId = "report-" + topic, AutoOffsetReset = OffsetReset.Earliest }, valueDeserializer: serde);
    }

    public Dictionary<string, V> Rows { get; } = [];

    /// <summary>Reads on until the table is the expected one; gives up after 60 seconds.</summary>
    public async Task<bool> BecomesAsync(Dictionary<string, V> expected, KafkaStreams app)
    {
        if (!_isSubscribed) await _consumer.SubscribeAsync([_topic]);
        _isSubscribed = true;
        if (IsLike(expected)) return true;
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await foreach (var result in _consumer.ReadAllAsync(patience.Token))
            {
                if (result.Record.HasValue) Rows[result.Key] = result.Value;
                else Rows.Remove(result.Key);
                if (IsLike(expected)) return true;
            }
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"{_topic} did not become what it should within {_patience.TotalSeconds} seconds{(app.Failure is null ? "" : ": " + app.Failure)}");
        }

        return false;
    }

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();

    private bool IsLike(Dictionary<string, V> expected) =>
        Rows.Count == expected.Count && expected.All(row => Rows.TryGetValue(row.Key, out var value) && EqualityComparer<V>.Default.Equals(value, row.Value));
}
