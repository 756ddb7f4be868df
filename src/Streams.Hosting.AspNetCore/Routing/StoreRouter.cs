using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Hosting.AspNetCore.Diagnostics;

namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>
/// Gets a partition's answer from whoever can give it: the active task, here or at the instance that the group's last rebalance names; where that one does not answer,
/// and stale answers are allowed, a standby; else the same again a little later, until the time is up.
/// </summary>
/// <remarks>
/// Whether the task is here is asked first of the task itself and not of the group's knowledge, which is as old as the last rebalance. What comes from another
/// instance is answered or refused at once, and never sent on. Source for standbys: KIP-535.
/// </remarks>
internal sealed class StoreRouter
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(250);

    private readonly string _store;
    private readonly RouterSettings _settings;
    private readonly PeerClient _peers;
    private readonly StoreLags _lags;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private int _waiting;

    public StoreRouter(string store, RouterSettings settings, PeerClient peers, TimeProvider time, ILogger logger)
    {
        _store = store;
        _settings = settings;
        _peers = peers;
        _time = time;
        _logger = logger;
        _lags = new StoreLags(store, time, logger);
    }

    /// <summary>The answer, or the reason why there is none.</summary>
    /// <exception cref="InvalidOperationException">The store is of another kind than it was mapped as.</exception>
    /// <exception cref="UnknownStateStoreException">There is no such store.</exception>
    public async Task<PartitionAnswer> AskAsync(KafkaStreams streams, StoreRequest request, CancellationToken cancellationToken)
    {
        var answer = await RetryAsync(
            () => TryAsync(streams, request, cancellationToken),
            static answer => answer.IsFinal,
            request.Hop,
            cancellationToken).ConfigureAwait(false);
        if (!answer.IsFinal && request.Hop == Hop.None) Log.Unavailable(_logger, _store, answer.Partition, _settings.RetryTimeout, answer.Reason);
        return answer;
    }

    /// <summary>Waits until the group's division of the work is known here; <c>null</c> when it is not known in time.</summary>
    public Task<KeyQueryMetadata?> FindAsync(Func<KeyQueryMetadata> locate, Hop hop, CancellationToken cancellationToken) =>
        RetryAsync(() => Task.FromResult(TryFind(locate)), static found => found is not null, hop, cancellationToken);

    private static KeyQueryMetadata? TryFind(Func<KeyQueryMetadata> locate)
    {
        try
        {
            var found = locate();
            return ReferenceEquals(found, KeyQueryMetadata.NotAvailable) ? null : found;
        }
        catch (InvalidStateStoreException failure) when (failure is not (UnknownStateStoreException or InvalidStateStorePartitionException))
        {
            return null;
        }
    }

    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, Func<T, bool> isDone, Hop hop, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var result = await attempt().ConfigureAwait(false);
        if (isDone(result) || hop != Hop.None) return result;
        if (Interlocked.Increment(ref _waiting) > _settings.MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return result;
        }

        try
        {
            var pause = _firstPause;
            while (!isDone(result))
            {
                var left = _settings.RetryTimeout - _time.GetElapsedTime(began);
                if (left <= TimeSpan.Zero) return result;
                await Task.Delay(pause < left ? pause : left, _time, cancellationToken).ConfigureAwait(false);
                pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
                result = await attempt().ConfigureAwait(false);
            }

            return result;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<PartitionAnswer> TryAsync(KafkaStreams streams, StoreRequest request, CancellationToken cancellationToken)
    {
        KeyQueryMetadata owner;
        PartitionAnswer answer;
        try
        {
            owner = request.Locate();
            if (ReferenceEquals(owner, KeyQueryMetadata.NotAvailable)) return NotHere(request, -1, "This instance has no part in the group yet.");
            if (owner.Partition < 0) return Answer(request.Read.AskGlobal(streams, _store), -1, isStale: false, lag: null);
            answer = await AskHereAsync(streams, request, owner.Partition, requireActive: true, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidStateStoreException failure) when (failure is not (UnknownStateStoreException or InvalidStateStorePartitionException))
        {
            return NotHere(request, -1, failure.Message);
        }

        if (answer.IsAnswer || request.Hop == Hop.Active) return answer;
        var here = streams.ApplicationServer;
        var hasOther = owner.ActiveHost != HostInfo.Unavailable && owner.ActiveHost != here;
        if (request.Hop == Hop.None && hasOther) answer = await ForwardAsync(request, owner.ActiveHost, owner.Partition, Hop.Active, cancellationToken).ConfigureAwait(false);

        // A standby does not know what input its copy contains, so it cannot promise to contain what is asked for.
        if (answer.IsFinal || _settings.MaxStaleLag is null || request.Bound.Offsets.Count > 0) return answer;
        var stale = await AskStaleAsync(streams, request, owner.Partition, cancellationToken).ConfigureAwait(false);
        if (stale.IsAnswer || request.Hop == Hop.Any) return stale;
        foreach (var standby in owner.StandbyHosts.Where(host => host != HostInfo.Unavailable && host != here))
        {
            stale = await ForwardAsync(request, standby, owner.Partition, Hop.Any, cancellationToken).ConfigureAwait(false);
            if (stale.IsFinal) return stale;
        }

        // The task may be where it should be, and still be restoring its store, with little left to do.
        return hasOther ? await ForwardAsync(request, owner.ActiveHost, owner.Partition, Hop.Any, cancellationToken).ConfigureAwait(false) : answer;
    }

    private async Task<PartitionAnswer> AskStaleAsync(KafkaStreams streams, StoreRequest request, int partition, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_settings.ForwardTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            // Without a copy here there is nothing that the cluster would have to be asked for.
            var answer = await AskHereAsync(streams, request, partition, requireActive: false, either.Token).ConfigureAwait(false);
            if (!answer.IsAnswer) return answer;
            var lag = await _lags.LagAsync(streams, partition, either.Token).ConfigureAwait(false);
            if ((lag ?? long.MaxValue) > _settings.MaxStaleLag)
                return NotHere(request, partition, lag is null ? "How far the copy here is behind is not known." : $"The copy here is {lag} records behind.");

            // Asked again: a copy that is being restored may have come to its end between the answer above and the question how far it is behind.
            answer = await AskHereAsync(streams, request, partition, requireActive: false, either.Token).ConfigureAwait(false);
            return answer.IsAnswer ? answer with { IsStale = true, Lag = lag } : answer;
        }
        catch (InvalidStateStoreException failure) when (failure is not UnknownStateStoreException)
        {
            return NotHere(request, partition, failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return NotHere(request, partition, "The cluster did not say in time how far the copy here is behind.");
        }
    }

    private async Task<PartitionAnswer> AskHereAsync(KafkaStreams streams, StoreRequest request, int partition, bool requireActive, CancellationToken cancellationToken)
    {
        var local = await request.Read.AskAsync(streams, _store, partition, requireActive, request.Bound, cancellationToken).ConfigureAwait(false);
        return local.Failure == FailureReason.None ? Answer(local, partition, isStale: false, lag: null) : NotHere(request, partition, local.Reason);
    }

    private async Task<PartitionAnswer> ForwardAsync(StoreRequest request, HostInfo host, int partition, Hop hop, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_settings.ForwardTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        string reason;
        try
        {
            var answer = await _peers.AskAsync(host, request, partition, hop, either.Token).ConfigureAwait(false);
            if (answer.IsAnswer) return answer;
            if (answer.Status is 401 or 403)
            {
                // It would refuse the next time, too.
                Log.Refused(_logger, _store, host.ToString(), answer.Status);
                return answer with { Status = 502, Reason = "The instance that has the key refuses to tell this one." };
            }

            reason = $"{host}: {answer.Reason}";
        }
        catch (HttpRequestException failure)
        {
            reason = $"{host}: {failure.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            reason = $"{host} did not answer within {_settings.ForwardTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.";
        }

        Log.NotAnswered(_logger, _store, host.ToString(), partition, reason);
        return NotHere(request, partition, reason);
    }

    private static PartitionAnswer Answer(in Reading.LocalAnswer local, int partition, bool isStale, long? lag) => new()
    {
        Status = local.Content is null ? 404 : 200,
        Content = local.Content ?? [],
        Partition = partition,
        IsStale = isStale,
        Lag = lag,
        Position = PositionText.Write(local.Position),
    };

    private static PartitionAnswer NotHere(StoreRequest request, int partition, string reason) =>
        new() { Status = request.Hop == Hop.None ? 503 : 421, Partition = partition, Reason = reason };
}

/// <summary>What the router has to know of <see cref="StateStoreEndpointOptions{K}"/>; there described.</summary>
internal sealed record RouterSettings(TimeSpan RetryTimeout, TimeSpan ForwardTimeout, long? MaxStaleLag, int MaxWaiting);
