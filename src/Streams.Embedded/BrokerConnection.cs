using Broker.Lite;
using Kafka.Protocol;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>The one way from a client in this package to its broker: a call, and the pause before the next try. A simulation puts its faults here.</summary>
internal class BrokerConnection(LocalConnection connection)
{
    /// <summary>Asks the broker on the caller's own thread; the broker's end shows as an unavailable cluster.</summary>
    /// <exception cref="ClusterUnavailableException">The broker has stopped.</exception>
    public virtual async Task<TResponse> AskAsync<TResponse>(IRequest<TResponse> request, CancellationToken cancellationToken)
        where TResponse : IApiMessage, new()
    {
        try
        {
            return await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ObjectDisposedException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ClusterUnavailableException($"The embedded broker has stopped, so {request.Key} has no answer.", failure);
        }
    }

    /// <summary>Blocks the calling thread for so long.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public virtual void Pause(TimeSpan time, CancellationToken cancellationToken)
    {
        cancellationToken.WaitHandle.WaitOne(time);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Waits so long.</summary>
    public virtual Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) => Task.Delay(time, cancellationToken);
}
