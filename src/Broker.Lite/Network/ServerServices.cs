using Broker.Lite.Diagnostics;
using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Quotas;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Network;

/// <summary>What all listeners and connections of a broker share. Everything in it is thread-safe.</summary>
internal sealed record ServerServices
{
    public required RequestDispatcher Dispatcher { get; init; }

    public required RequestMemory Memory { get; init; }

    public required ConnectionLimits Limits { get; init; }

    public required QuotaMeters Quotas { get; init; }

    /// <summary>Null when everybody may do everything.</summary>
    public required Authorizer? Authorizer { get; init; }

    public required BrokerMetrics Metrics { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }
}
