using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>Repeats an operation while it fails in ways that pass, with growing, jittered pauses, until a time limit.</summary>
/// <param name="settings">Pauses.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Jitter. Used under its own lock, since <see cref="Random"/> with a seed is not safe from several threads.</param>
internal sealed class Retry(WireSettings settings, TimeProvider time, Random random)
{
    private const double Jitter = 0.2;

    /// <exception cref="ClusterUnavailableException">The time limit passed; the last failure is inside.</exception>
    public async Task<T> RunAsync<T>(string what, TimeSpan limit, Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            Exception failure;
            try
            {
                return await operation(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ConnectionLostException or RetriableErrorException)
            {
                failure = e;
            }

            cancellationToken.ThrowIfCancellationRequested();
            var pause = Pause(attempt);
            if (time.GetElapsedTime(start) + pause >= limit)
                throw new ClusterUnavailableException($"{what} did not succeed within {limit.TotalSeconds:0.#} s: {failure.Message}", failure);
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How long to wait after an attempt that failed, counted from 0.</summary>
    public TimeSpan Pause(int attempt)
    {
        // The shift is bounded so that it cannot overflow however often an attempt fails.
        var exponential = settings.InitialBackoff * (1L << Math.Min(attempt, 20));
        var bounded = exponential < settings.MaxBackoff ? exponential : settings.MaxBackoff;
        double position;
        lock (random) position = random.NextDouble();
        return bounded * (1 - Jitter + (2 * Jitter * position));
    }
}
