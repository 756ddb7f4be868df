using Microsoft.Extensions.Logging;
using Streams.Core;
using Log = Streams.Kafka.Diagnostics.Log;

namespace Streams.Kafka.Wire;

/// <summary>Repeats an operation while it fails in ways that pass, with growing, jittered pauses, until a time limit.</summary>
/// <param name="settings">Pauses.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Jitter. Used under its own lock, since <see cref="Random"/> with a seed is not safe from several threads.</param>
/// <param name="logger">Told once of each operation that does not succeed for a while, since its time limit may be a minute away, and the address wrong; <c>null</c> for nobody.</param>
internal sealed class Retry(WireSettings settings, TimeProvider time, Random random, ILogger? logger = null)
{
    private const double Jitter = 0.2;

    /// <summary>Longer than a broker's restart or an election mostly takes, or a quarter of the time limit.</summary>
    private static readonly TimeSpan _longestSilence = TimeSpan.FromSeconds(3);

    /// <exception cref="ClusterUnavailableException">The time limit passed; the last failure is inside.</exception>
    public async Task<T> RunAsync<T>(string what, TimeSpan limit, Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var isTold = logger is null;

        // Also ends an attempt that is being waited for: a request may have more time than there is.
        using var expiry = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellationToken);
        Exception? failure = null;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await operation(either.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ConnectionLostException or RetriableErrorException)
            {
                failure = e;
            }
            catch (OperationCanceledException) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw NoTimeLeft(failure);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var pause = Pause(attempt);
            if (time.GetElapsedTime(start) + pause >= limit) throw NoTimeLeft(failure);
            if (!isTold && time.GetElapsedTime(start) + pause >= (limit / 4 < _longestSilence ? limit / 4 : _longestSilence))
            {
                isTold = true;
                Log.StillTrying(logger!, what, limit.TotalSeconds, failure.Message);
            }

            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }

        ClusterUnavailableException NoTimeLeft(Exception? last) =>
            new($"{what} did not succeed within {limit.TotalSeconds:0.###} s: {last?.Message ?? "there was no answer."}", last);
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
