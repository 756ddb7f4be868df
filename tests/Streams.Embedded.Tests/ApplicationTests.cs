using Streams.Core;

namespace Streams.Embedded.Tests;

/// <summary>Whole applications on a broker in this process.</summary>
public sealed class ApplicationTests : ApplicationContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ValueTask.FromResult<ICluster>(EmbeddedCluster.InMemory());
}
