using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// The journal of transactions as Kafka keeps it: the compacted topic <c>__transaction_state</c>, one record per transactional id.
/// </summary>
internal sealed class TransactionTopic(TopicCatalog catalog, TimeProvider time, ILogger logger) : ITransactionJournal
{
    private readonly CoordinatorTopic _topic = new(catalog, time, TopicName.TransactionState, BrokerConfigKeys.TransactionTopicPartitions);

    public ErrorCode Append(string transactionalId, JournalEntry entry) => _topic.Append(transactionalId, [entry]).Error;

    /// <summary>The newest state of each transactional id. Before the broker serves anybody.</summary>
    public Dictionary<string, Transaction> Replay()
    {
        var transactions = new Dictionary<string, Transaction>(StringComparer.Ordinal);
        long records = 0;
        _topic.ReadAll(
            (partition, _, record) =>
            {
                records++;
                var value = record.IsValueNull ? (ReadOnlyMemory<byte>?)null : record.Value.ToArray();
                try
                {
                    if (!TransactionTopicFormat.Replay(record.Key.ToArray(), value, transactions))
                        Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, "its version is not known");
                }
                catch (ProtocolException e)
                {
                    Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, e.Message);
                }
            },
            static (_, _, _) => { });
        if (records > 0)
            Log.TransactionsRestored(logger, transactions.Count, transactions.Values.Count(one => one.IsDecided || one.State == TransactionState.Ongoing), records);
        return transactions;
    }
}
