using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Hosting.AspNetCore.Diagnostics;

namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>How far the stores of this instance are behind. Asks the cluster once per second at most, however many requests want to know.</summary>
internal sealed class StoreLags(string store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan _maxAge = TimeSpan.FromSeconds(1);
    private static readonly Dictionary<int, LagInfo> _unknown = [];

    private readonly Lock _gate = new();
    private Task<IReadOnlyDictionary<int, LagInfo>>? _asked;
    private long _askedAt;

    /// <summary>The lag of a partition that is here; <c>null</c> when it is not known.</summary>
    public async Task<long?> LagAsync(KafkaStreams streams, int partition, CancellationToken cancellationToken)
    {
        Task<IReadOnlyDictionary<int, LagInfo>> asked;
        lock (_gate)
        {
            // A question is everybody's: it does not end with the request that happened to be the first to ask.
            if (_asked is null || (_asked.IsCompleted && time.GetElapsedTime(_askedAt) >= _maxAge))
            {
                _askedAt = time.GetTimestamp();
                _asked = AskAsync(streams);
            }

            asked = _asked;
        }

        var lags = await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
        return lags.TryGetValue(partition, out var lag) ? lag.OffsetLag : null;
    }

    private async Task<IReadOnlyDictionary<int, LagInfo>> AskAsync(KafkaStreams streams)
    {
        try
        {
            var all = await streams.AllLocalStorePartitionLagsAsync(CancellationToken.None).ConfigureAwait(false);
            return all.TryGetValue(store, out var lags) ? lags : _unknown;
        }
        catch (StreamsException failure)
        {
            // The cluster does not answer, or the application is closing: the lag is unknown for a second, which is an answer, too.
            Log.LagUnknown(logger, store, failure);
            return _unknown;
        }
    }
}
