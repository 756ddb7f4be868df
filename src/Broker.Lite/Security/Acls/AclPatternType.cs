namespace Broker.Lite.Security.Acls;

/// <summary>How a rule's resource name is meant, with Kafka's numbers (KIP-290). Any and Match are for filters: Match means whatever applies to the resource of that name.</summary>
internal enum AclPatternType : sbyte
{
    Unknown = 0,
    Any = 1,
    Match = 2,
    Literal = 3,
    Prefixed = 4,
}
