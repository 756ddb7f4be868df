using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Hosting.Diagnostics;

namespace Streams.Hosting;

/// <summary>Starts an application with the host and closes it with the host.</summary>
internal sealed class KafkaStreamsService : IHostedService
{
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
        // The host's own time-out is what cancels; the application's must not be shorter, and its close goes on in the background either way.
        Task closing = _streams.CloseAsync(TimeSpan.FromHours(1));
        await closing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!closing.IsCompletedSuccessfully) Log.NotClosedInTime(_logger, _registration.Name);
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
        _lifetime.StopApplication();
    }
}
