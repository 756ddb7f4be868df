using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Protocol;

/// <summary>The requests of a transactional producer, in the forms that are for clients, and what the answers' errors mean.</summary>
internal static class TransactionCalls
{
    /// <summary>Versions of AddPartitionsToTxn from 4 on are for brokers, which add partitions of many transactions at once (KIP-890).</summary>
    public static readonly VersionRange AddPartitionsVersions = new(0, 3);

    /// <summary>From here on an InitProducerId may say which id and epoch the producer has, and keep the id (KIP-360).</summary>
    private const short KeepsProducerFrom = 3;

    /// <summary>From here on a TxnOffsetCommit names the member, so that one whose generation is over is refused (KIP-447).</summary>
    private const short NamesMemberFrom = 3;

    /// <param name="producer">With an id: one whose epoch is to be raised.</param>
    /// <param name="transactionTimeout">How long a transaction may stay open; ignored without a transactional id.</param>
    /// <param name="version">Version of the request.</param>
    public static InitProducerIdRequest Init(ProducerIdentity producer, TimeSpan transactionTimeout, short version)
    {
        var keepsProducer = producer.IsKnown && version >= KeepsProducerFrom;
        return new InitProducerIdRequest
        {
            TransactionalId = producer.TransactionalId,
            TransactionTimeoutMs = producer.TransactionalId is null ? int.MaxValue : (int)Math.Min(int.MaxValue, transactionTimeout.TotalMilliseconds),
            ProducerId = keepsProducer ? producer.ProducerId : -1,
            ProducerEpoch = keepsProducer ? producer.Epoch : (short)-1,
        };
    }

    public static AddPartitionsToTxnRequest AddPartitions(ProducerIdentity producer, IEnumerable<TopicPartition> partitions) => new()
    {
        V3AndBelowTransactionalId = producer.TransactionalId!,
        V3AndBelowProducerId = producer.ProducerId,
        V3AndBelowProducerEpoch = producer.Epoch,
        V3AndBelowTopics = [.. partitions.GroupBy(partition => partition.Topic).Select(topic => new AddPartitionsToTxnRequest.AddPartitionsToTxnTopic
        {
            Name = topic.Key,
            Partitions = [.. topic.Select(partition => partition.Partition)],
        })],
    };

    public static AddOffsetsToTxnRequest AddOffsets(ProducerIdentity producer, string groupId) => new()
    {
        TransactionalId = producer.TransactionalId!,
        ProducerId = producer.ProducerId,
        ProducerEpoch = producer.Epoch,
        GroupId = groupId,
    };

    public static TxnOffsetCommitRequest CommitOffsets(ProducerIdentity producer, IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, short version)
    {
        var namesMember = version >= NamesMemberFrom;
        return new TxnOffsetCommitRequest
        {
            TransactionalId = producer.TransactionalId!,
            GroupId = membership.GroupId,
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.Epoch,
            GenerationId = namesMember ? membership.GenerationId : -1,
            MemberId = namesMember ? membership.MemberId : "",
            GroupInstanceId = namesMember ? membership.GroupInstanceId : null,
            Topics = [.. offsets.GroupBy(offset => offset.Partition.Topic).Select(topic => new TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(offset => new TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition
                {
                    PartitionIndex = offset.Partition.Partition,
                    CommittedOffset = offset.Offset,
                    CommittedMetadata = offset.Metadata,
                })],
            })],
        };
    }

    public static EndTxnRequest End(ProducerIdentity producer, bool commit) => new()
    {
        TransactionalId = producer.TransactionalId!,
        ProducerId = producer.ProducerId,
        ProducerEpoch = producer.Epoch,
        Committed = commit,
    };

    public static ErrorCode FirstError(TxnOffsetCommitResponse response)
    {
        foreach (var topic in response.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.ErrorCode != ErrorCode.None) return partition.ErrorCode;
            }
        }

        return ErrorCode.None;
    }

    public static ErrorCode FirstError(AddPartitionsToTxnResponse response)
    {
        // If one partition is refused the others are not attempted, and say so; the reason is the other's.
        var first = ErrorCode.None;
        foreach (var topic in response.ResultsByTopicV3AndBelow)
        {
            foreach (var partition in topic.ResultsByPartition)
            {
                if (partition.PartitionErrorCode is not (ErrorCode.None or ErrorCode.OperationNotAttempted)) return partition.PartitionErrorCode;
                if (partition.PartitionErrorCode != ErrorCode.None) first = partition.PartitionErrorCode;
            }
        }

        return first;
    }

    /// <summary>Whether the same call may succeed a little later: the end of the transaction before is on its way, or a group is between its join and its sync and takes no commits.</summary>
    public static bool Passes(ErrorCode error) => error.IsRetriable() || error is ErrorCode.ConcurrentTransactions or ErrorCode.RebalanceInProgress;

    /// <summary>Whether somebody else has taken over: a newer producer of the transactional id, or the group has moved on.</summary>
    public static bool IsFenced(ErrorCode error) => error is ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch or ErrorCode.InvalidProducerIdMapping
        or ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId;

    /// <summary>Whether the next producer would meet the same refusal: then it is the user's to know, and no new transaction helps.</summary>
    public static bool IsPermanent(ErrorCode error) => error is ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.CorruptMessage or ErrorCode.InvalidRecord
        or ErrorCode.InvalidTimestamp or ErrorCode.InvalidTopicException or ErrorCode.UnknownTopicOrPartition or ErrorCode.PolicyViolation or ErrorCode.UnsupportedCompressionType
        or ErrorCode.OffsetMetadataTooLarge or ErrorCode.InvalidCommitOffsetSize or ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed or ErrorCode.TransactionalIdAuthorizationFailed or ErrorCode.SaslAuthenticationFailed or ErrorCode.UnsupportedVersion
        or ErrorCode.UnsupportedForMessageFormat or ErrorCode.InvalidRequest;

    public static string Describe(ErrorCode error, string what) => $"{what}: {ErrorCodes.Describe(error).Name}, {ErrorCodes.Describe(error).Meaning}";

    /// <summary>What a call of a transaction that has failed for good means to the engine.</summary>
    public static StreamsException ToException(ErrorCode error, string what, Exception? cause = null)
    {
        var text = Describe(error, what);
        if (IsFenced(error)) return new TaskMigratedException(text, cause);
        return IsPermanent(error) ? new ProductionException(text, cause) : new TransactionAbortedException(text, cause);
    }
}
