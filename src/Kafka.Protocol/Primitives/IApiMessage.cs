namespace Kafka.Protocol;

/// <summary>A whole request or response body.</summary>
public interface IApiMessage : IMessage
{
    /// <summary>The operation it belongs to.</summary>
    ApiKey Key { get; }
}
