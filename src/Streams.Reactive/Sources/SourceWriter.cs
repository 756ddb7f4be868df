using Streams.Client;
using Streams.Core;
using Log = Streams.Reactive.Diagnostics.Log;

namespace Streams.Reactive.Sources;

/// <summary>Writes what a sequence gives, as many at a time as are there without waiting, and the next when they are acknowledged.</summary>
internal sealed class SourceWriter<K, V>(Producer<K, V> producer, string topic, CompanionSettings application, Action<int> onWritten)
{
    private const int MaxBatch = 500;

    private static readonly TimeSpan _firstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(10);

    /// <summary>How long a sequence may take to end that has been told to.</summary>
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(2);

    private readonly List<Record<K, V>> _batch = [];

    public async Task WriteAllAsync(IAsyncEnumerable<Record<K, V>> records, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var enumerator = records.GetAsyncEnumerator(ending.Token);
        Task<bool>? step = null;
        try
        {
            while (true)
            {
                // Where there is nothing more at the moment, the time is used.
                step = enumerator.MoveNextAsync().AsTask();
                if (!step.IsCompleted) await WriteAsync(cancellationToken).ConfigureAwait(false);
                if (!await StepAsync(step, cancellationToken).ConfigureAwait(false)) break;
                _batch.Add(enumerator.Current);
                if (_batch.Count == MaxBatch) await WriteAsync(cancellationToken).ConfigureAwait(false);
            }

            await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            try
            {
                await CloseAsync(enumerator, step).WaitAsync(_farewell, application.Time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // A sequence that does not heed its token is left behind: the application's end does not wait for it.
            }
        }
    }

    private async ValueTask<bool> StepAsync(Task<bool> step, CancellationToken cancellationToken)
    {
        try
        {
            return await step.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            // What the source gave before it failed is part of the topic.
            await WriteAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task CloseAsync(IAsyncEnumerator<Record<K, V>> enumerator, Task? step)
    {
        // A sequence must not be disposed in the middle of a step.
        if (step is not null) await step.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await enumerator.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_batch.Count == 0) return;
        var delay = _firstDelay;
        var start = application.Time.GetTimestamp();
        while (true)
        {
            try
            {
                foreach (var record in _batch) await producer.PostAsync(topic, record, null, cancellationToken).ConfigureAwait(false);
                await producer.FlushAsync(cancellationToken).ConfigureAwait(false);
                onWritten(_batch.Count);
                _batch.Clear();
                return;
            }
            catch (ClusterUnavailableException failure) when (application.Time.GetElapsedTime(start) < application.Patience)
            {
                Log.WriteRetried(application.Logger, _batch.Count, topic, delay.TotalMilliseconds, application.Patience.TotalMilliseconds, failure);
                await Task.Delay(delay, application.Time, cancellationToken).ConfigureAwait(false);
                delay = delay * 2 < _maxDelay ? delay * 2 : _maxDelay;
            }
        }
    }
}
