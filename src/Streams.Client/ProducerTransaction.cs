using Streams.Client.Producing;
using Streams.Core;

namespace Streams.Client;

/// <summary>An open transaction of a <see cref="Producer{K, V}"/>. Disposing it without a commit aborts it.</summary>
public sealed class ProducerTransaction : IAsyncDisposable
{
    private readonly Func<Action<ProducerThread>, CancellationToken, Task> _call;
    private readonly Action _end;
    private int _ended;

    internal ProducerTransaction(Func<Action<ProducerThread>, CancellationToken, Task> call, Action end)
    {
        _call = call;
        _end = end;
    }

    /// <summary>Makes consumed offsets part of the transaction, so that what was read and what was written of it are committed together.</summary>
    /// <param name="offsets">Offsets of the next records to read.</param>
    /// <param name="membership">Who the consumer is in its group: <see cref="Consumer{K, V}.Membership"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SendOffsetsAsync(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        ArgumentNullException.ThrowIfNull(membership);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended) == 1, this);
        return _call(thread => thread.SendOffsets(offsets, membership), cancellationToken);
    }

    /// <summary>Makes everything in the transaction visible at once. When a record of it failed, it is aborted instead and the failure thrown.</summary>
    /// <exception cref="TransactionAbortedException">A record of the transaction, or the commit, failed: nothing of it will be visible.</exception>
    /// <exception cref="TaskMigratedException">A newer producer has the same transactional id.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Interlocked.Exchange(ref _ended, 1) == 1, this);
        try
        {
            await _call(static thread => thread.CommitTransaction(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _end();
        }
    }

    /// <summary>Gives the transaction up; readers of committed records never see anything of it.</summary>
    public async Task AbortAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 1) return;
        try
        {
            await _call(static thread => thread.AbortTransaction(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _end();
        }
    }

    /// <summary>Aborts, unless it was committed.</summary>
    public async ValueTask DisposeAsync() => await AbortAsync().ConfigureAwait(false);
}
