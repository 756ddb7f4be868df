using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>Something outside the graph that lives as long as the applications that run a topology: what feeds a source topic, who reads records as they pass.</summary>
internal interface ITopologyCompanion
{
    /// <summary>An application starts. Quick and without failure; several applications may run one topology.</summary>
    ICompanionRun Start(CompanionSettings application);

    /// <summary>An application was closed without having been started.</summary>
    void NeverStarts();
}

/// <summary>A companion beside one application.</summary>
internal interface ICompanionRun
{
    /// <summary>The application's threads have ended; its cluster is still there. Does not throw.</summary>
    /// <param name="failure">The error that ended it, if one did.</param>
    Task EndAsync(Exception? failure);
}

/// <summary>What a companion gets from the application, or the test driver, that it runs beside.</summary>
internal sealed record CompanionSettings
{
    /// <summary>Where the application runs; <c>null</c> in the test driver.</summary>
    public ICluster? Cluster { get; init; }

    public required string ClientId { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Ends the application with an error; from any thread.</summary>
    public required Action<Exception> Fail { get; init; }

    /// <summary>How long a cluster that is away is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);
}
