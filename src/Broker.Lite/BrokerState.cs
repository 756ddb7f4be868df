using Broker.Lite.Coordination;
using Broker.Lite.Metadata;
using Broker.Lite.Security;

namespace Broker.Lite;

/// <summary>
/// What request handlers work on. <see cref="View"/>, <see cref="Loop"/> and <see cref="Time"/> may be used anywhere, the rest only on the
/// loop.
/// </summary>
internal sealed class BrokerState
{
    public required int BrokerId { get; init; }

    public required TimeProvider Time { get; init; }

    public required BrokerLoop Loop { get; init; }

    public required TopicCatalog Catalog { get; init; }

    public required GroupDirectory Groups { get; init; }

    public required GroupCoordinator Coordinator { get; init; }

    public required ConsumerGroupCoordinator Consumers { get; init; }

    public required GroupOffsets Offsets { get; init; }

    public required TransactionCoordinator Transactions { get; init; }

    /// <summary>Users, access rules and quotas; its view may be used anywhere.</summary>
    public required SecurityStore Security { get; init; }

    /// <summary>The current picture of topics and settings.</summary>
    public ClusterView View => Catalog.View;
}
