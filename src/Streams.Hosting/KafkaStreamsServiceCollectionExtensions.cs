using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;

namespace Streams.Hosting;

/// <summary>Applications in the generic host.</summary>
public static class KafkaStreamsServiceCollectionExtensions
{
    /// <summary>
    /// Runs an application with the host: it starts with it, and when the host stops it commits, closes its tasks and leaves its group before the
    /// host's shutdown time-out.
    /// </summary>
    /// <remarks>
    /// <para>
    /// A host may run several applications, each under a name. <see cref="KafkaStreams"/> is a keyed service by that name, and without a key the first one
    /// that was added. Loggers, the meter factory and a <see cref="TimeProvider"/> come from the services.
    /// </para>
    /// <para>The application is made when the host starts, so unusable settings or an unusable topology end the start.</para>
    /// </remarks>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the application, also its default application id.</param>
    /// <param name="register">Gives topology and settings.</param>
    /// <exception cref="ArgumentException">There is an application of this name already.</exception>
    public static IServiceCollection AddKafkaStreams(this IServiceCollection services, string name, Action<KafkaStreamsRegistration> register)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(register);
        if (services.Any(service => service.ServiceType == typeof(KafkaStreams) && service.IsKeyedService && name.Equals(service.ServiceKey)))
            throw new ArgumentException($"There is an application '{name}' already; give each its own name.", nameof(name));

        var registration = new KafkaStreamsRegistration(name);
        register(registration);
        var isFirst = services.All(service => service.ServiceType != typeof(KafkaStreams));
        services.AddKeyedSingleton(name, (provider, _) => registration.Create(provider, Defaults(provider, name)));
        if (isFirst) services.AddSingleton(provider => provider.GetRequiredKeyedService<KafkaStreams>(name));
        services.AddSingleton<IHostedService>(provider => new KafkaStreamsService(
            registration,
            provider.GetRequiredKeyedService<KafkaStreams>(name),
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance));
        return services;
    }

    /// <summary>
    /// Makes processors whose constructors take services: <c>stream.Process(services.ProcessorFactory&lt;MyProcessor&gt;())</c>. Each task gets its own instance.
    /// </summary>
    /// <remarks>
    /// A processor lives as long as its task. Services of a scope (a database context) are not for it: take an
    /// <see cref="IServiceScopeFactory"/> and make a scope where one is needed.
    /// </remarks>
    /// <typeparam name="TProcessor">The processor.</typeparam>
    /// <param name="services">The services, as given to the topology callback.</param>
    /// <param name="arguments">Constructor arguments that are not services.</param>
    public static Func<TProcessor> ProcessorFactory<[System.Diagnostics.CodeAnalysis.DynamicallyAccessedMembers(
        System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes.PublicConstructors)] TProcessor>(this IServiceProvider services, params object[] arguments)
        where TProcessor : class
    {
        ArgumentNullException.ThrowIfNull(services);
        return () => ActivatorUtilities.CreateInstance<TProcessor>(services, arguments);
    }

    private static StreamsConfig Defaults(IServiceProvider services, string name) => new()
    {
        ApplicationId = name,
        LoggerFactory = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
        MeterFactory = services.GetService<IMeterFactory>(),
        TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System,
    };
}
