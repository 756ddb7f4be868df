using Streams.Core;

namespace Streams.Embedded.Tests;

/// <summary>The ports' contract on a broker in this process.</summary>
public sealed class EmbeddedClusterTests : ClusterContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ValueTask.FromResult<ICluster>(EmbeddedCluster.InMemory());
}
