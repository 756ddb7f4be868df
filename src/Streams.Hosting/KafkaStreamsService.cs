using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Hosting.Diagnostics;

namespace Streams.Hosting;

/// <summary>Starts an application with the host and closes it with the host.</summary>
internal sealed class KafkaStreamsService : IHostedService
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(25);

    private readonly KafkaStreamsRegistration _registration;
    private readonly KafkaStreams _streams;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger _logger;

    public KafkaStreamsService(KafkaStreamsRegistration registration, KafkaStreams streams, IHostApplicationLifetime lifetime, ILoggerFactory loggers)
    {
        _registration = registration;
        _streams = streams;
        _lifetime = lifetime;
        _logger = loggers.CreateLogger("Streams.Hosting");
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _streams.StateChanged += WhenStateChanges;
        return _streams.StartAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The host's own time-out, 30 s unless it was changed, is what cancels; a cluster that is away is given up before that, and what then is still under way goes on in the background.
        bool closed;
        var patience = _patience;
        do
        {
            var closing = _streams.CloseAsync(patience);
            await ((Task)closing).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            closed = closing.IsCompletedSuccessfully && await closing.ConfigureAwait(false);
            patience = TimeSpan.FromHours(1);
        }
        while (!closed && !cancellationToken.IsCancellationRequested);

        if (!closed) Log.NotClosedInTime(_logger, _registration.Name);
        _streams.StateChanged -= WhenStateChanges;
    }

    private void WhenStateChanges(KafkaStreamsState from, KafkaStreamsState to)
    {
        if (to != KafkaStreamsState.Error) return;
        if (!_registration.StopHostOnFailure)
        {
            Log.FailedAlone(_logger, _registration.Name, _streams.Failure);
            return;
        }

        Log.StopsHost(_logger, _registration.Name, _streams.Failure);

        // A host that stops is no error to the process by itself, and then systemd, for one, would not start it again.
        if (Environment.ExitCode == 0) Environment.ExitCode = 1;
        _lifetime.StopApplication();
    }
}
