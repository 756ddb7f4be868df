namespace Broker.Lite.Monitoring;

/// <summary>How a consumer is doing in a partition, judged over its last commits and not by a fixed number of records.</summary>
internal enum LagStatus
{
    /// <summary>It keeps up, catches up, or was not watched for long enough to say more.</summary>
    Ok = 0,

    /// <summary>It reads, but falls further behind with every commit.</summary>
    Warning = 1,

    /// <summary>It commits, but always the same position, while there is more to read.</summary>
    Stalled = 2,

    /// <summary>It has not committed for longer than all its last commits took, while there is more to read.</summary>
    Stopped = 3,
}
