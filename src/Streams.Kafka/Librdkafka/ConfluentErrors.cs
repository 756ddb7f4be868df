using Confluent.Kafka;
using Streams.Core;

namespace Streams.Kafka.Librdkafka;

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

    /// <summary>Whether the same record would be refused again, by a new producer too.</summary>
    public static bool IsPermanent(Error error) => error.Code is
        ErrorCode.MsgSizeTooLarge
        or ErrorCode.RecordListTooLarge
        or ErrorCode.InvalidMsg
        or ErrorCode.InvalidMsgSize
        or ErrorCode.InvalidRecord
        or ErrorCode.InvalidTimestamp
        or ErrorCode.InvalidTransactionTimeout
        or ErrorCode.PolicyViolation
        or ErrorCode.TopicException
        or ErrorCode.UnknownTopicOrPart
        or ErrorCode.Local_UnknownTopic
        or ErrorCode.Local_UnknownPartition
        or ErrorCode.TopicAuthorizationFailed
        or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed
        or ErrorCode.TransactionalIdAuthorizationFailed
        or ErrorCode.SaslAuthenticationFailed
        or ErrorCode.Local_Authentication
        or ErrorCode.Local_UnsupportedFeature
        or ErrorCode.Local_InvalidArg
        or ErrorCode.UnsupportedVersion
        or ErrorCode.UnsupportedForMessageFormat;

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
