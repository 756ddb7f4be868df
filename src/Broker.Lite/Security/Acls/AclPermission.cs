namespace Broker.Lite.Security.Acls;

/// <summary>What a rule says, with Kafka's numbers.</summary>
internal enum AclPermission : sbyte
{
    Unknown = 0,
    Any = 1,
    Deny = 2,
    Allow = 3,
}
