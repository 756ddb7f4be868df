using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Streams.Core;

namespace Streams.Hosting;

/// <summary>Health checks of applications.</summary>
public static class KafkaStreamsHealthChecksBuilderExtensions
{
    /// <summary>Adds a check of an application.</summary>
    /// <param name="builder">From <c>services.AddHealthChecks()</c>.</param>
    /// <param name="application">The application's name in this host; the check has the same.</param>
    /// <param name="options">When it counts as degraded; <c>null</c> for the defaults.</param>
    /// <param name="tags">Tags to choose checks by, such as <c>ready</c>.</param>
    public static IHealthChecksBuilder AddKafkaStreams(
        this IHealthChecksBuilder builder, string application, KafkaStreamsHealthCheckOptions? options = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(application);

        // One instance for the host's life: it remembers since when the application has not been running.
        var key = "health of " + application;
        builder.Services.AddKeyedSingleton(key, (services, _) => new KafkaStreamsHealthCheck(
            services.GetRequiredKeyedService<KafkaStreams>(application), options, services.GetService<TimeProvider>()));
        return builder.Add(new HealthCheckRegistration(application, services => services.GetRequiredKeyedService<KafkaStreamsHealthCheck>(key), null, tags));
    }
}
