namespace Kafka.Protocol;

/// <summary>A response that can tell its client to slow down (quotas, KIP-219).</summary>
public interface IThrottledResponse : IApiMessage
{
    /// <summary>
    /// How long the broker will not read this connection's next request, in milliseconds; 0 if no quota is exceeded. Versions without the
    /// field leave it out.
    /// </summary>
    int ThrottleTimeMs { get; set; }
}
