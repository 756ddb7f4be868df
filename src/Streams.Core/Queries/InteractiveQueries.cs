namespace Streams.Core;

/// <summary>Finds the stores of this instance for queries, and the instances that have the others. Safe from several threads.</summary>
/// <remarks>Source: Kafka's <c>QueryableStoreProvider</c>, <c>StreamsMetadataState</c> and <c>KafkaStreams.query</c>.</remarks>
internal sealed class InteractiveQueries(
    TopologyPlan plan,
    StreamsConfig config,
    IClusterAdmin admin,
    Func<KafkaStreamsState> state,
    Func<IReadOnlyList<StreamThread>> threads,
    Func<MemberAssignment?> assignment,
    Func<IReadOnlyDictionary<string, IStateStore>> globalStores)
{
    private readonly HostInfo _here = HostInfo.TryParse(config.ApplicationServer, out var here) ? here : HostInfo.Unavailable;

    public TStore Store<TStore>(StoreQueryParameters<TStore> parameters)
        where TStore : class
    {
        // Once here, so that a mistake shows at once; then with every call, because tasks move.
        Views(parameters);
        return parameters.StoreType.Combine(() => Views(parameters));
    }

    public async Task<StateQueryResult<TResult>> QueryAsync<TResult>(StateQueryRequest<TResult> request, CancellationToken cancellationToken)
    {
        CheckRunning();
        if (IsGlobal(request.StoreName)) throw new UnknownStateStoreException($"Store '{request.StoreName}' is global; read it with Store.");
        var subtopology = SubtopologyOf(request.StoreName);
        var results = new Dictionary<int, QueryResult<TResult>>();
        var open = Tasks(subtopology).ToDictionary(entry => entry.Task.Id.Partition);
        foreach (var partition in request.Partitions ?? [.. open.Keys.Order()])
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!open.TryGetValue(partition, out var entry))
            {
                // Before the first rebalance nobody knows how many partitions there are.
                results[partition] = partition < 0 || (PartitionCount(subtopology) is > 0 and var count && partition >= count)
                    ? new(FailureReason.DoesNotExist, $"Store '{request.StoreName}' has no partition {partition}.")
                    : new(FailureReason.NotPresent, $"Partition {partition} of store '{request.StoreName}' is not on this instance.");
                continue;
            }

            results[partition] = request.RequireActive && entry.State != ThreadTaskState.Running
                ? new(FailureReason.NotActive, $"Partition {partition} of store '{request.StoreName}' is {entry.State} on this instance.")
                : await AskAsync(request, entry.Task, cancellationToken).ConfigureAwait(false);
        }

        return new StateQueryResult<TResult>(results);
    }

    public KeyQueryMetadata MetadataForKey(string storeName, int partition)
    {
        if (assignment() is not { } known) return KeyQueryMetadata.NotAvailable;
        var task = new TaskId(SubtopologyOf(storeName).Id, partition);
        var active = known.Hosts.FirstOrDefault(host => host.Active.Contains(task));
        var standbys = known.Hosts.Where(host => host.Standby.Contains(task)).Select(HostOf).ToList();
        return new KeyQueryMetadata(active is null ? HostInfo.Unavailable : HostOf(active), standbys, partition);
    }

    public KeyQueryMetadata MetadataForKey<K>(string storeName, K key, ISerializer<K> keySerializer)
    {
        CheckRunning();
        if (IsGlobal(storeName)) return new KeyQueryMetadata(_here, [], -1);
        var count = PartitionCount(SubtopologyOf(storeName));
        if (count == 0) return KeyQueryMetadata.NotAvailable;
        var buffer = new SerdeBuffer();
        keySerializer.Serialize(key, buffer);
        var bytes = keySerializer is IPartitionKeySerializer part ? part.PartitionKey(buffer.WrittenSpan) : buffer.WrittenSpan;
        return MetadataForKey(storeName, Murmur2.Partition(bytes, count));
    }

    public KeyQueryMetadata MetadataForKey(string storeName, Func<int, int> partitioner)
    {
        CheckRunning();
        if (IsGlobal(storeName)) return new KeyQueryMetadata(_here, [], -1);
        var count = PartitionCount(SubtopologyOf(storeName));
        if (count == 0) return KeyQueryMetadata.NotAvailable;
        var partition = partitioner(count);
        return partition >= 0 && partition < count
            ? MetadataForKey(storeName, partition)
            : throw new InvalidStateStorePartitionException($"The partitioner chose partition {partition} of store '{storeName}', which has {count}.");
    }

    public IReadOnlyCollection<StreamsMetadata> AllMetadata()
    {
        CheckRunning();
        return assignment() is { } known ? [.. known.Hosts.Select(Describe)] : [];
    }

    public IReadOnlyCollection<StreamsMetadata> MetadataForStore(string storeName)
    {
        if (!IsGlobal(storeName)) SubtopologyOf(storeName);
        return IsGlobal(storeName) ? AllMetadata() : [.. AllMetadata().Where(host => host.StateStoreNames.Contains(storeName) || host.StandbyStateStoreNames.Contains(storeName))];
    }

    public async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<int, LagInfo>>> LagsAsync(CancellationToken cancellationToken)
    {
        CheckRunning();
        var positions = new List<(string Store, int Partition, TopicPartition Changelog, long Position, bool IsRunning)>();
        foreach (var (task, taskState) in threads().SelectMany(thread => thread.OpenTasks))
        {
            foreach (var store in task.StoresNow())
            {
                if (store.ChangelogPartition is { } changelog) positions.Add((store.Store.Name, task.Id.Partition, changelog, store.RestoredOffset ?? 0, taskState == ThreadTaskState.Running));
            }
        }

        if (positions.Count == 0) return new Dictionary<string, IReadOnlyDictionary<int, LagInfo>>();
        var ends = await admin.EndOffsetsAsync([.. positions.Select(entry => entry.Changelog).Distinct()], readCommitted: false, cancellationToken).ConfigureAwait(false);
        return positions.GroupBy(entry => entry.Store).ToDictionary(
            store => store.Key,
            IReadOnlyDictionary<int, LagInfo> (store) => store.ToDictionary(
                entry => entry.Partition,
                entry => new LagInfo(entry.IsRunning ? ends[entry.Changelog] : entry.Position, ends[entry.Changelog])));
    }

    private static HostInfo HostOf(HostedTasks host) => HostInfo.TryParse(host.ApplicationServer, out var info) ? info : HostInfo.Unavailable;

    private static bool IsActive((StreamTask Task, ThreadTaskState State) entry) => entry.State == ThreadTaskState.Running;

    private async Task<QueryResult<TResult>> AskAsync<TResult>(StateQueryRequest<TResult> request, StreamTask task, CancellationToken cancellationToken)
    {
        try
        {
            if ((request.IsolationLevel ?? config.DefaultInteractiveQueryIsolationLevel) == IsolationLevel.ReadCommitted)
                return await task.ReadCommittedAsync(() => Ask(request, task), cancellationToken).ConfigureAwait(false);
            using var gate = task.Gate.Enter();
            return Ask(request, task);
        }
        catch (StateStoreMigratedException failure)
        {
            return new QueryResult<TResult>(FailureReason.NotPresent, failure.Message);
        }
        catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
        {
            return new QueryResult<TResult>(FailureReason.StoreException, failure.Message);
        }
    }

    // Inside the gate, so that answer and position belong together.
    private static QueryResult<TResult> Ask<TResult>(StateQueryRequest<TResult> request, StreamTask task)
    {
        if (task.ReadView(request.StoreName) is not { } store) return new(FailureReason.NotPresent, $"The task of store '{request.StoreName}' has moved.");
        var position = new Position(task.InputPositions().ToDictionary(entry => entry.Partition, entry => entry.Offset));
        if (!position.Covers(request.PositionBound)) return new(FailureReason.NotUpToBound, $"Store '{request.StoreName}' does not contain what was asked for yet.");
        return request.Query.TryAsk(store, out var result)
            ? new(result, position)
            : new(FailureReason.UnknownQueryType, $"Store '{request.StoreName}' is a {TypeNames.Of(store.GetType())}, which the query cannot read.");
    }

    private List<TStore> Views<TStore>(StoreQueryParameters<TStore> parameters)
        where TStore : class
    {
        CheckRunning();
        if (globalStores().TryGetValue(parameters.StoreName, out var global)) return [ViewOf(parameters, global)];
        if (IsGlobal(parameters.StoreName)) throw new StreamsRebalancingException($"Global store '{parameters.StoreName}' is still being read in; ask again in a moment.");
        var subtopology = SubtopologyOf(parameters.StoreName);
        var count = PartitionCount(subtopology);
        if (parameters.Partition >= count && count > 0)
            throw new InvalidStateStorePartitionException($"Store '{parameters.StoreName}' has no partition {parameters.Partition}: it has {count}.");
        var views = new List<TStore>();
        foreach (var (task, taskState) in Tasks(subtopology))
        {
            if (parameters.Partition is { } partition && task.Id.Partition != partition) continue;
            if (taskState != ThreadTaskState.Running && !parameters.StaleStoresEnabled) continue;
            if (TryView(task, parameters.StoreName) is { } store) views.Add(ViewOf(parameters, store));
        }

        if (views.Count > 0) return views;
        var which = parameters.Partition is { } only ? $"Partition {only} of store '{parameters.StoreName}'" : $"Store '{parameters.StoreName}'";
        throw state() == KafkaStreamsState.Rebalancing
            ? new StreamsRebalancingException($"{which} is not on this instance, or not ready yet, and the group is rebalancing; ask again in a moment.")
            : new StateStoreMigratedException($"{which} is not on this instance; QueryMetadataForKey and StreamsMetadataForStore tell where it is.");
    }

    // A task that is closed between being listed and being asked has moved like one that was never listed.
    private static IStateStore? TryView(StreamTask task, string store)
    {
        try
        {
            return task.ReadView(store);
        }
        catch (StateStoreMigratedException)
        {
            return null;
        }
    }

    private static TStore ViewOf<TStore>(StoreQueryParameters<TStore> parameters, IStateStore store)
        where TStore : class =>
        parameters.StoreType.View(store) ?? throw new UnknownStateStoreException(
            $"Store '{parameters.StoreName}' is a {TypeNames.Of(store.GetType())} and cannot be read as {TypeNames.Of(typeof(TStore))}: compare key type, value type and kind with how the store was made.");

    private void CheckRunning()
    {
        switch (state())
        {
            case KafkaStreamsState.Created:
                throw new StreamsNotStartedException("The application has not been started; start it before asking its stores.");
            case KafkaStreamsState.Running or KafkaStreamsState.Rebalancing:
                return;
            default:
                throw new StreamsStoppedException($"The application is {state()}; its stores cannot be asked any more.");
        }
    }

    // Partitions in order, the active task of each before its standby: they are never both here.
    private IEnumerable<(StreamTask Task, ThreadTaskState State)> Tasks(Subtopology subtopology) =>
        threads().SelectMany(thread => thread.OpenTasks).Where(entry => entry.Task.Id.Subtopology == subtopology.Id).OrderBy(entry => entry.Task.Id.Partition).ThenBy(entry => IsActive(entry) ? 0 : 1).DistinctBy(entry => entry.Task.Id);

    private bool IsGlobal(string store) => plan.Globals.Any(global => global.Stores.Any(definition => definition.Name == store));

    private Subtopology SubtopologyOf(string store) =>
        plan.Subtopologies.FirstOrDefault(subtopology => subtopology.Stores.Any(definition => definition.Name == store && !definition.IsGlobal))
        ?? throw new UnknownStateStoreException($"The topology has no store '{store}'. It has {Names()}; tables have one only when it is named with Materialized.As.");

    private string Names() => string.Join(", ", plan.Subtopologies.Concat(plan.Globals).SelectMany(subtopology => subtopology.Stores).Select(definition => $"'{definition.Name}'").Distinct().DefaultIfEmpty("none"));

    private int PartitionCount(Subtopology subtopology) =>
        assignment() is { PartitionCounts.Count: > 0 } known ? PartitionCounts.Known(plan, known.PartitionCounts).TaskCount(subtopology) : 0;

    private StreamsMetadata Describe(HostedTasks host) => new(HostOf(host), StoresOf(host.Active), host.Active, StoresOf(host.Standby), host.Standby);

    private IReadOnlyCollection<string> StoresOf(IReadOnlyList<TaskId> tasks) =>
    [
        .. plan.Subtopologies.Where(subtopology => tasks.Any(task => task.Subtopology == subtopology.Id))
            .SelectMany(subtopology => subtopology.Stores).Where(definition => !definition.IsGlobal).Select(definition => definition.Name).Distinct(),
    ];
}
