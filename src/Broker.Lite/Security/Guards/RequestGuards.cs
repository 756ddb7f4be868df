using System.Diagnostics.CodeAnalysis;
using Kafka.Protocol;

namespace Broker.Lite.Security.Guards;

/// <summary>
/// The guard of every API. An API without one is refused to everybody who is not a super user in all but name, which a test does not let
/// happen.
/// </summary>
internal static class RequestGuards
{
    private static readonly Dictionary<ApiKey, RequestGuard> _guards = new[]
    {
        TopicGuards.All, GroupGuards.All, TransactionGuards.All, ClusterGuards.All,
    }.SelectMany(guards => guards).ToDictionary(guard => guard.Key);

    public static bool TryFind(ApiKey key, [NotNullWhen(true)] out RequestGuard? guard) => _guards.TryGetValue(key, out guard);
}
