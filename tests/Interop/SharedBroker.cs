[assembly: AssemblyFixture(typeof(Interop.SharedBroker))]

namespace Interop;

/// <summary>
/// One broker for all tests that leave it running, each with topics and groups of its own name, so that it also serves many clients at once.
/// </summary>
public sealed class SharedBroker : IAsyncLifetime
{
    private BrokerProcess? _broker;

    public string Bootstrap => _broker!.Bootstrap;

    public async ValueTask InitializeAsync() => _broker = await BrokerProcess.StartAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
    }
}
