namespace Broker.Lite.Requests;

/// <summary>What the APIs of access rules say when there is no access control.</summary>
internal static class AclAvailability
{
    public const string Disabled = "No Authorizer is configured on the broker";

    public static bool HasAuthorizer(BrokerState broker) => broker.View.Config.Text(Security.SecurityConfigKeys.AuthorizerClassName).Length > 0;
}
