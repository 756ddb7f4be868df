namespace Broker.Lite.Requests;

/// <summary>
/// What a configuration belongs to, with the protocol's numbers. Others exist (broker loggers, client metrics) and have none here.
/// </summary>
internal static class ConfigResourceType
{
    public const sbyte Topic = 2;
    public const sbyte Broker = 4;
    public const sbyte Group = 32;
}
