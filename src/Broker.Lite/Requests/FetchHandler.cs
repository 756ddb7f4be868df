using Broker.Lite.Logs;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>Fetch (1): read whole batches from partitions, waiting for data if there is not enough.</summary>
/// <remarks>
/// v4: isolation level. v7: sessions (KIP-227), bounded in number. v9: leader epochs. v10: zstd. v11: rack. v12: last fetched epoch. v13: topic ids
/// instead of names (KIP-516). v15, v16: nothing that concerns clients of one broker. The size limits are soft in one way: the first
/// partition with data returns at least one batch, however large (KIP-74), or a consumer could never get past it.
/// </remarks>
internal sealed class FetchHandler(BrokerState broker, int maxBytes, FetchSessions sessions) : RequestHandler<FetchRequest, FetchResponse>(4, 16)
{
    private const int NoSession = 0;
    private const int FirstInSession = 0;
    private const int LastInSession = -1;
    private const short FirstWithTopicIds = 13;
    private const short FirstWithZstd = 10;
    private const sbyte ReadCommitted = 1;

    /// <summary>The key of a partition as a client names it: by the topic's id from v13 on. In the same process a name is good, too.</summary>
    public static FetchKey KeyOf(string topic, Guid topicId, int partition, bool usesTopicIds) =>
        usesTopicIds && (topicId != Guid.Empty || topic.Length == 0) ? new FetchKey("", topicId, partition) : new FetchKey(topic, Guid.Empty, partition);

    protected override async ValueTask<FetchResponse?> HandleAsync(FetchRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var error = Begin(request, context.Version >= FirstWithTopicIds, out var session, out var targets);
        if (error != ErrorCode.None)
            return new FetchResponse { ErrorCode = error };

        var results = await ReadAsync(request, targets, context, cancellationToken).ConfigureAwait(false);
        var response = new FetchResponse { SessionId = session?.Id ?? NoSession };
        // The first answer of a session says everything, later ones what is new.
        var isIncremental = session is not null && request.SessionEpoch != FirstInSession;
        foreach (var (target, result) in results)
        {
            if (isIncremental && !target.IsNews(result))
                continue;
            if (response.Responses.Count == 0 || response.Responses[^1].Topic != target.Key.Topic || response.Responses[^1].TopicId != target.Key.TopicId)
                response.Responses.Add(new() { Topic = target.Key.Topic, TopicId = target.Key.TopicId });
            response.Responses[^1].Partitions.Add(result);
        }

        if (session is not null)
        {
            lock (session.Gate)
                session.Answered(results);
        }

        return response;
    }

    /// <summary>Finds or opens the session that a request belongs to, if any, and says which partitions are to be read.</summary>
    private ErrorCode Begin(FetchRequest request, bool usesTopicIds, out FetchSession? session, out IReadOnlyList<FetchTarget> targets)
    {
        var named = new List<FetchTarget>();
        foreach (var topic in request.Topics)
        {
            foreach (var partition in topic.Partitions)
                named.Add(new FetchTarget(KeyOf(topic.Topic, topic.TopicId, partition.Partition, usesTopicIds), partition));
        }

        session = null;
        targets = named;
        if (request.SessionEpoch is FirstInSession or LastInSession)
        {
            if (request.SessionId != NoSession)
                sessions.Remove(request.SessionId);
            if (request.SessionEpoch == LastInSession || named.Count == 0)
                return ErrorCode.None;
            session = sessions.TryOpen(usesTopicIds);
            if (session is null)
                return ErrorCode.None;
            lock (session.Gate)
                targets = [.. session.Update(request, named)];
            return ErrorCode.None;
        }

        session = sessions.Find(request.SessionId);
        if (session is null)
            return ErrorCode.FetchSessionIdNotFound;
        lock (session.Gate)
        {
            if (request.SessionEpoch != session.NextEpoch)
                return ErrorCode.InvalidFetchSessionEpoch;
            if (usesTopicIds != session.UsesTopicIds)
                return ErrorCode.FetchSessionTopicIdError;
            session.Advance();
            targets = [.. session.Update(request, named)];
            return ErrorCode.None;
        }
    }

    private async ValueTask<List<(FetchTarget Target, FetchResponse.PartitionData Result)>> ReadAsync(
        FetchRequest request, IReadOnlyList<FetchTarget> targets, RequestContext context, CancellationToken cancellationToken)
    {
        var started = broker.Time.GetTimestamp();
        var results = Read(request, targets, context, out var bytes, out var mustAnswer);
        while (!mustAnswer && bytes < request.MinBytes && TimeLeft(request, started) is var left && left > TimeSpan.Zero)
        {
            context.ReleaseLeases();
            var waiter = new FetchWaiter(request.MinBytes);
            // Registered before reading again, so that what is appended after the read cannot be missed.
            var watched = Register(targets, waiter);
            try
            {
                results = Read(request, targets, context, out bytes, out mustAnswer);
                if (mustAnswer || bytes >= request.MinBytes)
                    return results;
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

            results = Read(request, targets, context, out bytes, out mustAnswer);
        }

        return results;
    }

    private TimeSpan TimeLeft(FetchRequest request, long started) =>
        TimeSpan.FromMilliseconds(request.MaxWaitMs) - broker.Time.GetElapsedTime(started);

    private List<(FetchTarget Target, FetchResponse.PartitionData Result)> Read(
        FetchRequest request, IReadOnlyList<FetchTarget> targets, RequestContext context, out long bytes, out bool mustAnswer)
    {
        var view = broker.View;
        var budget = Math.Min(request.MaxBytes, maxBytes);
        var results = new List<(FetchTarget, FetchResponse.PartitionData)>(targets.Count);
        bytes = 0;
        mustAnswer = targets.Count == 0;
        foreach (var target in targets)
        {
            var topic = Find(view, target.Key);
            var result = topic is null && target.Key.Topic.Length == 0
                ? Failed(target, ErrorCode.UnknownTopicId)
                : Read(topic?.Find(target.Key.Partition), target.Asked, request.IsolationLevel, (int)Math.Max(0, budget - bytes), bytes == 0, context);
            bytes += result.Records?.Length ?? 0;
            mustAnswer |= result.ErrorCode != ErrorCode.None || result.DivergingEpoch is not null;
            results.Add((target, result));
        }

        return results;
    }

    private static Topic? Find(ClusterView view, FetchKey key) => key.TopicId != Guid.Empty ? view.Find(key.TopicId) : view.Find(key.Topic);

    private static FetchResponse.PartitionData Failed(FetchTarget target, ErrorCode error) =>
        new() { PartitionIndex = target.Key.Partition, ErrorCode = error, HighWatermark = -1, Records = ReadOnlyMemory<byte>.Empty };

    private static FetchResponse.PartitionData Read(
        Partition? partition, FetchRequest.FetchPartition asked, sbyte isolationLevel, int budget, bool isFirst, RequestContext context)
    {
        var result = new FetchResponse.PartitionData { PartitionIndex = asked.Partition, HighWatermark = -1, Records = ReadOnlyMemory<byte>.Empty };
        result.ErrorCode = partition is null ? ErrorCode.UnknownTopicOrPartition : Partition.CheckLeaderEpoch(asked.CurrentLeaderEpoch);
        if (result.ErrorCode != ErrorCode.None)
            return result;

        // Where the topic is stored in zstd, what is sent to a client that cannot know it would be of no use to it (KIP-110).
        if (context.Version < FirstWithZstd && partition!.StoresZstd)
        {
            result.ErrorCode = ErrorCode.UnsupportedCompressionType;
            return result;
        }

        if (asked.LastFetchedEpoch > Partition.LeaderEpoch)
        {
            // The client has records of an epoch that never was here: it must go back to where ours ends (KIP-595).
            result.DivergingEpoch = new() { Epoch = Partition.LeaderEpoch, EndOffset = partition!.LogEndOffset };
            return result;
        }

        var isolation = isolationLevel == ReadCommitted ? ReadIsolation.ReadCommitted : ReadIsolation.ReadUncommitted;
        var read = partition!.Read(asked.FetchOffset, Math.Min(asked.PartitionMaxBytes, budget), isFirst, isolation, context.CanSendFiles);
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

    private List<Partition> Register(IReadOnlyList<FetchTarget> targets, FetchWaiter waiter)
    {
        var view = broker.View;
        var partitions = new List<Partition>(targets.Count);
        foreach (var target in targets)
        {
            if (Find(view, target.Key)?.Find(target.Key.Partition) is not { } partition)
                continue;
            partition.AddWaiter(waiter);
            partitions.Add(partition);
        }

        return partitions;
    }
}
