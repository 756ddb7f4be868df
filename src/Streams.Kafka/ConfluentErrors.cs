using Confluent.Kafka;
using Streams.Core;

namespace Streams.Kafka;

/// <summary>What Confluent.Kafka's error codes mean to the engine. Decides on codes, never on text.</summary>
internal static class ConfluentErrors
{
    /// <summary>Whether somebody else has taken over: a newer producer of the transactional id, or the group has moved on.</summary>
    public static bool IsFenced(Error error) => error.Code is
        ErrorCode.Local_Fenced
        or ErrorCode.ProducerFenced
        or ErrorCode.InvalidProducerEpoch
        or ErrorCode.InvalidProducerIdMapping
        or ErrorCode.IllegalGeneration
        or ErrorCode.UnknownMemberId
        or ErrorCode.FencedInstanceId;

    /// <summary>Whether the cluster refuses for a reason that waiting will not cure.</summary>
    public static bool IsRefusal(Error error) => error.IsFatal || error.Code is
        ErrorCode.TopicAuthorizationFailed
        or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed
        or ErrorCode.TransactionalIdAuthorizationFailed
        or ErrorCode.SaslAuthenticationFailed
        or ErrorCode.Local_Authentication
        or ErrorCode.Local_UnsupportedFeature
        or ErrorCode.Local_InvalidArg
        or ErrorCode.Local_Fatal
        or ErrorCode.TopicException
        or ErrorCode.UnsupportedVersion
        or ErrorCode.UnsupportedForMessageFormat;

    /// <summary>An exception for a refusal.</summary>
    public static ClusterException ToClusterException(Error error, string what, Exception? inner = null) =>
        new((short)Math.Max((int)error.Code, short.MinValue), error.Code.ToString(), $"{what}: {error.Code}: {error.Reason}", inner);
}
