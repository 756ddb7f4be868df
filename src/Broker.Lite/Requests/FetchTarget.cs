using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>A partition that a client fetches, under the name or the id by which it knows the topic.</summary>
internal readonly record struct FetchKey(string Topic, Guid TopicId, int Partition);

/// <summary>What a client wants of one partition; in a session, also what it was told of it last.</summary>
internal sealed class FetchTarget(FetchKey key, FetchRequest.FetchPartition asked)
{
    public FetchKey Key { get; } = key;

    public FetchRequest.FetchPartition Asked { get; set; } = asked;

    /// <summary>The high watermark in the last answer; -2 before there is one, which is no value a partition can have.</summary>
    public long HighWatermark { get; private set; } = -2;

    /// <summary>The log start in the last answer.</summary>
    public long LogStartOffset { get; private set; } = -2;

    /// <summary>Whether an answer says something that the client does not know yet.</summary>
    public bool IsNews(FetchResponse.PartitionData result) =>
        result.Records is { Length: > 0 }
        || result.ErrorCode != Kafka.Protocol.ErrorCode.None
        || result.DivergingEpoch is not null
        || result.HighWatermark != HighWatermark
        || result.LogStartOffset != LogStartOffset;

    public void Remember(FetchResponse.PartitionData result)
    {
        // After an error the client is told everything again.
        HighWatermark = result.ErrorCode == Kafka.Protocol.ErrorCode.None ? result.HighWatermark : -2;
        LogStartOffset = result.LogStartOffset;
    }
}
