using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// Finds the adapter for <see cref="StreamsConfig.BootstrapServers"/>. The engine does not depend on it, so that a program on the embedded broker
/// carries no Kafka client; its name is a constant, which the trimmer understands.
/// </summary>
internal static class KafkaClusterProvider
{
    public static ICluster Create(string bootstrapServers, IReadOnlyDictionary<string, string> settings, ILogger logger, TimeProvider timeProvider)
    {
        var type = Type.GetType("Streams.Kafka.KafkaCluster, Streams.Kafka")
            ?? throw new ConfigException($"bootstrap.servers is '{bootstrapServers}', but the package Streams.Kafka, which connects to brokers, is not referenced by the program: add it, or set Cluster.");
        var constructor = type.GetConstructor([typeof(string), typeof(IReadOnlyDictionary<string, string>), typeof(ILogger), typeof(TimeProvider)])
            ?? throw new ConfigException("The package Streams.Kafka does not fit this version of Streams.Core: its KafkaCluster has no constructor from bootstrap servers, settings, logger and clock. Use the same version of both.");
        try
        {
            return (ICluster)constructor.Invoke([bootstrapServers, settings, logger, timeProvider]);
        }
        catch (System.Reflection.TargetInvocationException failure) when (failure.InnerException is { } inner)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(inner).Throw();
            throw;
        }
    }
}
