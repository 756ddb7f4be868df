using Broker.Lite.Diagnostics;
using Broker.Lite.Security;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>Carries out changes of users, access rules and quotas on the broker loop, and logs who made them.</summary>
internal static class SecurityChange
{
    /// <summary>Replaces the picture; false, and logged, if the disk says no. On the loop only.</summary>
    public static bool TryApply(BrokerState broker, ILogger logger, RequestContext context, SecurityView view, string what)
    {
        try
        {
            broker.Security.Change(view);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SecurityChangeFailed(logger, e);
            return false;
        }

        Log.SecurityChanged(logger, context.Session.Principal.ToString(), context.Host, what);
        return true;
    }
}
