using Kafka.Protocol;

namespace Broker.Lite.Requests;

/// <summary>What the transaction APIs of a producer have in common.</summary>
internal static class TransactionErrors
{
    // AddPartitionsToTxn, AddOffsetsToTxn and EndTxn alike (KIP-588).
    private const short FirstWithProducerFenced = 2;

    /// <summary>The error as clients of a version know it.</summary>
    public static ErrorCode InVersion(ErrorCode error, short version) =>
        error == ErrorCode.ProducerFenced && version < FirstWithProducerFenced ? ErrorCode.InvalidProducerEpoch : error;
}
