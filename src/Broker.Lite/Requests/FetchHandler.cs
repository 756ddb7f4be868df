using Broker.Lite.Logs;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>Fetch (1): read whole batches from partitions, waiting for data if there is not enough.</summary>
/// <remarks>
/// v4: isolation level. v7: sessions (KIP-227), which are declined: session id 0 keeps clients sending full requests. v9: leader epochs.
/// v11: rack. v12: last fetched epoch. The size limits are soft in one way: the first partition with data returns at least one batch,
/// however large (KIP-74), or a consumer could never get past it.
/// </remarks>
internal sealed class FetchHandler(BrokerState broker, int maxBytes) : RequestHandler<FetchRequest, FetchResponse>(4, 12)
{
    private const int NoSession = 0;
    private const int FirstInSession = 0;
    private const sbyte ReadCommitted = 1;

    protected override async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        // Continuing a session that was never opened; a client that opens or closes one gets a full answer without session.
        if (request.SessionId != NoSession && request.SessionEpoch > FirstInSession)
            return new FetchResponse { ErrorCode = ErrorCode.FetchSessionIdNotFound };

        var started = broker.Time.GetTimestamp();
        var response = Read(request, context, out var bytes, out var mustAnswer);
        while (!mustAnswer && bytes < request.MinBytes && TimeLeft(request, started) is var left && left > TimeSpan.Zero)
        {
            context.ReleaseLeases();
            var waiter = new FetchWaiter(request.MinBytes);
            // Registered before reading again, so that what is appended after the read cannot be missed.
            var watched = Register(request, waiter);
            try
            {
                response = Read(request, context, out bytes, out mustAnswer);
                if (mustAnswer || bytes >= request.MinBytes)
                    return response;
                context.ReleaseLeases();
                waiter.Arm(bytes);
                await waiter.Task.WaitAsync(left, broker.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // The answer then is what there is.
            }
            finally
            {
                foreach (var partition in watched)
                    partition.RemoveWaiter(waiter);
            }

            response = Read(request, context, out bytes, out mustAnswer);
        }

        return response;
    }

    private TimeSpan TimeLeft(FetchRequest request, long started) =>
        TimeSpan.FromMilliseconds(request.MaxWaitMs) - broker.Time.GetElapsedTime(started);

    private FetchResponse Read(FetchRequest request, RequestContext context, out long bytes, out bool mustAnswer)
    {
        var view = broker.View;
        var budget = Math.Min(request.MaxBytes, maxBytes);
        var response = new FetchResponse { SessionId = NoSession, Responses = new(request.Topics.Count) };
        bytes = 0;
        mustAnswer = request.Topics.TrueForAll(topic => topic.Partitions.Count == 0);
        foreach (var asked in request.Topics)
        {
            var topic = view.Find(asked.Topic);
            var results = new List<FetchResponse.PartitionData>(asked.Partitions.Count);
            foreach (var partition in asked.Partitions)
            {
                var result = Read(topic?.Find(partition.Partition), partition, request.IsolationLevel, (int)Math.Max(0, budget - bytes), bytes == 0, context);
                bytes += result.Records?.Length ?? 0;
                mustAnswer |= result.ErrorCode != ErrorCode.None || result.DivergingEpoch is not null;
                results.Add(result);
            }

            response.Responses.Add(new() { Topic = asked.Topic, Partitions = results });
        }

        return response;
    }

    private static FetchResponse.PartitionData Read(
        Partition? partition, FetchRequest.FetchPartition asked, sbyte isolationLevel, int budget, bool isFirst, RequestContext context)
    {
        var result = new FetchResponse.PartitionData { PartitionIndex = asked.Partition, HighWatermark = -1, Records = ReadOnlyMemory<byte>.Empty };
        result.ErrorCode = partition is null ? ErrorCode.UnknownTopicOrPartition : Partition.CheckLeaderEpoch(asked.CurrentLeaderEpoch);
        if (result.ErrorCode != ErrorCode.None)
            return result;

        if (asked.LastFetchedEpoch > Partition.LeaderEpoch)
        {
            // The client has records of an epoch that never was here: it must go back to where ours ends (KIP-595).
            result.DivergingEpoch = new() { Epoch = Partition.LeaderEpoch, EndOffset = partition!.LogEndOffset };
            return result;
        }

        var isolation = isolationLevel == ReadCommitted ? ReadIsolation.ReadCommitted : ReadIsolation.ReadUncommitted;
        var read = partition!.Read(asked.FetchOffset, Math.Min(asked.PartitionMaxBytes, budget), isFirst, isolation);
        // Released when the response is on its way; an in-process client keeps the memory instead.
        if (!context.IsLocal)
            context.Lease(read);
        result.ErrorCode = read.Error;
        result.HighWatermark = read.HighWatermark;
        result.LastStableOffset = read.LastStableOffset;
        result.LogStartOffset = read.LogStartOffset;
        result.Records = read.Records;
        // Null tells a read-committed client nothing it could use; an empty list says that no transaction here was aborted.
        result.AbortedTransactions = isolationLevel == ReadCommitted ? [] : null;
        foreach (var aborted in read.AbortedTransactions ?? [])
            result.AbortedTransactions?.Add(new() { ProducerId = aborted.ProducerId, FirstOffset = aborted.FirstOffset });
        return result;
    }

    private List<Partition> Register(FetchRequest request, FetchWaiter waiter)
    {
        var view = broker.View;
        var partitions = new List<Partition>();
        foreach (var topic in request.Topics)
        {
            var known = view.Find(topic.Topic);
            foreach (var asked in topic.Partitions)
            {
                if (known?.Find(asked.Partition) is not { } partition)
                    continue;
                partition.AddWaiter(waiter);
                partitions.Add(partition);
            }
        }

        return partitions;
    }
}
