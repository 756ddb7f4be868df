using Streams.Core;
using Streams.Embedded;
using Streams.Kafka;

namespace Bench;

/// <summary>Where a run takes place.</summary>
internal static class BenchCluster
{
    /// <param name="bootstrapServers">A cluster; <c>null</c> for the broker of this process.</param>
    /// <param name="client">Its <c>client.library</c>; <c>null</c> for the default.</param>
    /// <param name="folder">Where the broker of this process keeps its data.</param>
    public static ICluster Open(string? bootstrapServers, string? client, string folder) => bootstrapServers is null
        ? EmbeddedCluster.At(Path.Combine(folder, "broker"))
        : new KafkaCluster(bootstrapServers, client is null ? null : new Dictionary<string, string> { ["client.library"] = client });
}
