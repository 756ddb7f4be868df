using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>Where the transaction coordinator makes its decisions durable before it acts on them: <c>__transaction_state</c>.</summary>
internal interface ITransactionJournal
{
    /// <summary>Appends the newest state of a transactional id, or that it is forgotten. On error nothing was written.</summary>
    ErrorCode Append(string transactionalId, JournalEntry entry);
}
