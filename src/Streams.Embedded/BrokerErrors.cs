using Kafka.Protocol;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>What the broker says, as the engine's exceptions.</summary>
internal static class BrokerErrors
{
    public static void ThrowIfError(ErrorCode error, string what)
    {
        if (error == ErrorCode.None) return;
        var description = ErrorCodes.Describe(error);
        var message = $"{what}: {description.Name}, {description.Meaning}";
        if (description.IsRetriable) throw new ClusterUnavailableException(message);
        throw new ClusterException((short)error, description.Name, message);
    }

    /// <summary>Answers that a group member acts on; anything else is thrown.</summary>
    public static GroupError ToGroupError(ErrorCode error, string what)
    {
        switch (error)
        {
            case ErrorCode.None:
                return GroupError.None;
            case ErrorCode.RebalanceInProgress:
                return GroupError.RebalanceInProgress;
            // OffsetCommit v9 has this for a group that is gone, where older versions had the former.
            case ErrorCode.IllegalGeneration or ErrorCode.GroupIdNotFound:
                return GroupError.IllegalGeneration;
            case ErrorCode.UnknownMemberId:
                return GroupError.UnknownMemberId;
            case ErrorCode.FencedInstanceId:
                return GroupError.FencedInstanceId;
            default:
                ThrowIfError(error, what);
                return GroupError.None;
        }
    }
}
