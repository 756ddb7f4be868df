using Kafka.Protocol;

namespace Broker.Lite.Metadata;

/// <summary>What became of a <see cref="NewTopic"/>, or would have.</summary>
internal sealed record CreateTopicResult(ErrorCode Error, string? Message, Guid TopicId, int Partitions, IReadOnlyDictionary<string, string> Configs)
{
    public static CreateTopicResult Failed(ErrorCode error, string message) => new(error, message, Guid.Empty, -1, new Dictionary<string, string>());
}
