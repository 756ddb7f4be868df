using System.Collections.Concurrent;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Streams.Kafka.Wire;

/// <summary>Connections to the brokers of one cluster, opened when first needed and again when they broke. Safe from several threads.</summary>
/// <remarks>
/// One connection per address, besides those that only wait for their last answers; no connection is opened unless a request needs it, so a cluster that is away costs nothing but the callers' retries.
/// Addresses of brokers come from the cluster's own metadata; those it no longer names are closed with the pool.
/// </remarks>
internal sealed class BrokerPool(WireSettings settings, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<BrokerAddress, Slot> _slots = [];
    private BrokerAddress[] _known = [];
    private int _nextBootstrap;
    private volatile bool _disposed;

    public WireSettings Settings => settings;

    /// <summary>Sends to the given broker.</summary>
    public Task<TResponse> SendAsync<TResponse>(
        BrokerAddress address, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new() =>
        SendAsync(address, TResponse.Versions, build, timeout, cancellationToken);

    /// <summary>Sends to the given broker, in one of the versions that the caller can use.</summary>
    public async Task<TResponse> SendAsync<TResponse>(
        BrokerAddress address, VersionRange versions, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var connection = await ConnectionAsync(address, cancellationToken).ConfigureAwait(false);
        return await connection.SendAsync(versions, build, timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <c>SendAsync</c>, for answers that bring much; see <see cref="BrokerConnection.SendForPooledAsync"/>.</summary>
    public async Task<PooledAnswer<TResponse>> SendForPooledAsync<TResponse>(
        BrokerAddress address, VersionRange versions, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var connection = await ConnectionAsync(address, cancellationToken).ConfigureAwait(false);
        return await connection.SendForPooledAsync(versions, build, timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends to any broker, beginning with the bootstrap brokers; after a failure the next call takes the next one.</summary>
    public async Task<TResponse> SendAnyAsync<TResponse>(Func<short, IRequest<TResponse>> build, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var position = (uint)Volatile.Read(ref _nextBootstrap);
        var known = Volatile.Read(ref _known);
        var index = (int)(position % (uint)(settings.Bootstrap.Count + known.Length));
        var address = index < settings.Bootstrap.Count ? settings.Bootstrap[index] : known[index - settings.Bootstrap.Count];
        try
        {
            return await SendAsync(address, build, settings.RequestTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionLostException)
        {
            Interlocked.CompareExchange(ref _nextBootstrap, (int)(position + 1), (int)position);
            throw;
        }
    }

    /// <summary>Asks any broker about topics; never makes one.</summary>
    /// <param name="topics">Names, or <c>null</c> for all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<MetadataResponse> MetadataAsync(IEnumerable<string>? topics, CancellationToken cancellationToken)
    {
        var answer = await SendAnyAsync<MetadataResponse>(
            version => new MetadataRequest
            {
                // Version 0 has no null list: an empty one means all there.
                Topics = topics?.Select(name => new MetadataRequest.MetadataRequestTopic { Name = name }).ToList() ?? (version == 0 ? [] : null),

                // Before version 4 the broker decides for itself, and the field may only have its default.
                AllowAutoTopicCreation = version < 4,
            },
            cancellationToken).ConfigureAwait(false);

        // Those that answer for the cluster when none of the bootstrap brokers is there any more.
        Volatile.Write(ref _known, [.. answer.Brokers.Select(broker => new BrokerAddress(broker.Host, broker.Port)).Except(settings.Bootstrap)]);
        return answer;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        foreach (var slot in _slots.Values) await slot.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<BrokerConnection> ConnectionAsync(BrokerAddress address, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var slot = _slots.GetOrAdd(address, static _ => new Slot());
        return await slot.GetAsync(address, settings, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The place of one broker's connection: opening one broker never waits for another that does not answer.</summary>
    private sealed class Slot : IAsyncDisposable
    {
        private readonly SemaphoreSlim _opening = new(1, 1);
        private readonly List<BrokerConnection> _retired = [];
        private BrokerConnection? _connection;
        private bool _closed;

        public async Task<BrokerConnection> GetAsync(BrokerAddress address, WireSettings settings, TimeProvider time, CancellationToken cancellationToken)
        {
            if (Volatile.Read(ref _connection) is { IsOpen: true, IsDue: false } current) return current;
            await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(BrokerPool));
                if (_connection is { IsOpen: true, IsDue: false } opened) return opened;
                var previous = _connection;
                if (previous is { IsOpen: false })
                {
                    await previous.DisposeAsync().ConfigureAwait(false);
                    Volatile.Write(ref _connection, previous = null);
                }

                var connection = await OpenAsync(previous, address, settings, time, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _connection, connection);
                if (previous is not null && previous != connection) await RetireAsync(previous).ConfigureAwait(false);
                return connection;
            }
            finally
            {
                _opening.Release();
            }
        }

        public async ValueTask DisposeAsync()
        {
            // Waits for a connection that is being opened, which takes ConnectTimeout at most, so that it is closed too.
            await _opening.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                _closed = true;
                if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
                foreach (var connection in _retired) await connection.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                _opening.Release();
            }
        }

        // One whose time is nearly over is still good while no other can be had: for a token there may be nobody to ask just now.
        private static async Task<BrokerConnection> OpenAsync(BrokerConnection? previous, BrokerAddress address, WireSettings settings, TimeProvider time, CancellationToken cancellationToken)
        {
            try
            {
                return await BrokerConnection.OpenAsync(address, settings, time, cancellationToken).ConfigureAwait(false);
            }
            catch (ConnectionLostException) when (previous is { IsOpen: true })
            {
                return previous;
            }
        }

        // What has been asked on it, a join for instance, may take minutes to be answered: it goes on until then.
        private async Task RetireAsync(BrokerConnection connection)
        {
            foreach (var closed in _retired.FindAll(static each => !each.IsOpen))
            {
                _retired.Remove(closed);
                await closed.DisposeAsync().ConfigureAwait(false);
            }

            _retired.Add(connection);
            await connection.RetireAsync().ConfigureAwait(false);
        }
    }
}
