using Broker.Lite.Coordination;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ListTransactions (66): the transactional ids there are, by state, producer and age of the transaction (KIP-664).</summary>
/// <remarks>v1: only transactions that have been open for longer than a given time (KIP-994).</remarks>
internal sealed class ListTransactionsHandler(BrokerState broker) : RequestHandler<ListTransactionsRequest, ListTransactionsResponse>(0, 1)
{
    protected override async ValueTask<ListTransactionsResponse?> HandleAsync(
        ListTransactionsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var known = Enum.GetNames<TransactionState>();
        var response = new ListTransactionsResponse { UnknownStateFilters = [.. request.StateFilters.Except(known, StringComparer.Ordinal)] };
        var states = request.StateFilters.ToHashSet(StringComparer.Ordinal);
        var producerIds = request.ProducerIdFilters.ToHashSet();
        var now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        response.TransactionStates = await broker.Loop.InvokeAsync(() => broker.Transactions.All
            .Where(one => (states.Count == 0 || states.Contains(one.State.ToString()))
                && (producerIds.Count == 0 || producerIds.Contains(one.ProducerId))
                && (request.DurationFilter < 0 || (one.StartTimestampMs >= 0 && now - one.StartTimestampMs > request.DurationFilter)))
            .OrderBy(one => one.TransactionalId, StringComparer.Ordinal)
            .Select(one => new ListTransactionsResponse.ListedTransaction
            {
                TransactionalId = one.TransactionalId,
                ProducerId = one.ProducerId,
                TransactionState = one.State.ToString(),
            })
            .ToList()).ConfigureAwait(false);
        return response;
    }
}
