namespace Streams.Core;

/// <summary>Where input topics are to be read from after a reset.</summary>
public abstract record ResetPosition
{
    private protected ResetPosition()
    {
    }

    /// <summary>The first record there is.</summary>
    public static ResetPosition Earliest { get; } = new Named((_, begin, _, _) => begin, "earliest");

    /// <summary>The end: only what comes from now on.</summary>
    public static ResetPosition Latest { get; } = new Named((_, _, end, _) => end, "latest");

    /// <summary>The first record that is not older than a time; the end where there is none.</summary>
    public static ResetPosition AtTime(DateTimeOffset time) => new Timed(time);

    /// <summary>So many records further on, or back when negative, from what is committed; from the first record where nothing is.</summary>
    public static ResetPosition ShiftBy(long count) => new Named((committed, begin, _, _) => Add(committed ?? begin, count), $"shift by {count}");

    /// <summary>An offset; where a partition does not reach that far, or not that far back, its end or beginning.</summary>
    public static ResetPosition AtOffset(long offset) => new Named((_, _, _, _) => offset, $"offset {offset}");

    internal abstract long Of(long? committed, long begin, long end, long? atTime);

    private static long Add(long offset, long count) => count > 0 && offset > long.MaxValue - count ? long.MaxValue : offset + count;

    private sealed record Named(Func<long?, long, long, long?, long> Choose, string Name) : ResetPosition
    {
        public override string ToString() => Name;

        internal override long Of(long? committed, long begin, long end, long? atTime) => Choose(committed, begin, end, atTime);
    }

    internal sealed record Timed(DateTimeOffset Time) : ResetPosition
    {
        public override string ToString() => $"time {Time:O}";

        internal override long Of(long? committed, long begin, long end, long? atTime) => atTime ?? end;
    }
}

/// <summary>A new offset of an input partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="From">Offset committed so far; <c>null</c> for none.</param>
/// <param name="To">Offset from which it will be read.</param>
public sealed record ResetOffset(TopicPartition Partition, long? From, long To);

/// <summary>What a reset does, or has done.</summary>
/// <param name="Offsets">Offsets of input topics.</param>
/// <param name="InternalTopics">Internal topics that are deleted.</param>
public sealed record ApplicationResetPlan(IReadOnlyList<ResetOffset> Offsets, IReadOnlyList<string> InternalTopics);

/// <summary>
/// Makes an application process its input again: moves its committed offsets and deletes its internal topics. All instances must be down. Local state is not touched:
/// call <see cref="KafkaStreams.CleanUp"/> on each instance before it starts again.
/// </summary>
/// <remarks>Source: Kafka's <c>kafka-streams-application-reset</c>.</remarks>
public static class ApplicationReset
{
    /// <summary>Says what a reset would do. Changes nothing, and does not look whether the application runs.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="applicationId">The application.</param>
    /// <param name="inputTopics">Its input topics; offsets of others are left alone.</param>
    /// <param name="position">Where they are to be read from.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException">An input topic does not exist, or is internal to the application.</exception>
    public static async Task<ApplicationResetPlan> PlanAsync(
        ICluster cluster, string applicationId, IReadOnlyCollection<string> inputTopics, ResetPosition position, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentException.ThrowIfNullOrEmpty(applicationId);
        ArgumentNullException.ThrowIfNull(inputTopics);
        ArgumentNullException.ThrowIfNull(position);
        using var admin = cluster.CreateAdmin(applicationId + "-reset");
        var internals = (await admin.ListTopicsAsync(cancellationToken).ConfigureAwait(false)).Where(topic => IsInternal(applicationId, topic)).Order(StringComparer.Ordinal).ToList();
        if (inputTopics.Intersect(internals).ToList() is { Count: > 0 } own)
            throw new ArgumentException($"'{own[0]}' is an internal topic of the application and is deleted, not read again.", nameof(inputTopics));
        var counts = await admin.DescribeTopicsAsync(inputTopics, cancellationToken).ConfigureAwait(false);
        if (inputTopics.Where(topic => !counts.ContainsKey(topic)).ToList() is { Count: > 0 } missing)
            throw new ArgumentException($"Input topics do not exist: {string.Join(", ", missing)}.", nameof(inputTopics));
        var partitions = inputTopics.Distinct().SelectMany(topic => Enumerable.Range(0, counts[topic]).Select(partition => new TopicPartition(topic, partition))).ToList();
        if (partitions.Count == 0) return new ApplicationResetPlan([], internals);

        var begins = await admin.BeginningOffsetsAsync(partitions, cancellationToken).ConfigureAwait(false);
        var ends = await admin.EndOffsetsAsync(partitions, readCommitted: false, cancellationToken).ConfigureAwait(false);
        var times = position is ResetPosition.Timed timed ? await admin.OffsetsForTimeAsync(partitions, timed.Time, cancellationToken).ConfigureAwait(false) : null;
        IReadOnlyDictionary<TopicPartition, OffsetCommit> committed;
        var group = cluster.CreateGroupCoordinator(applicationId + "-reset", applicationId);
        await using (group.ConfigureAwait(false)) committed = await group.FetchOffsetsAsync(partitions, cancellationToken).ConfigureAwait(false);
        return new ApplicationResetPlan(
            [
                .. partitions.Select(partition =>
                {
                    long? from = committed.TryGetValue(partition, out var commit) ? commit.Offset : null;
                    var to = position.Of(from, begins[partition], ends[partition], times?.GetValueOrDefault(partition, ends[partition]));
                    return new ResetOffset(partition, from, Math.Clamp(to, begins[partition], Math.Max(begins[partition], ends[partition])));
                }),
            ],
            internals);
    }

    /// <summary>Carries a plan out. Offsets first: a group that has members refuses them, and then nothing has changed.</summary>
    /// <exception cref="InvalidOperationException">Instances of the application are running, or were until just now.</exception>
    public static async Task RunAsync(ICluster cluster, string applicationId, ApplicationResetPlan plan, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentException.ThrowIfNullOrEmpty(applicationId);
        ArgumentNullException.ThrowIfNull(plan);
        using var admin = cluster.CreateAdmin(applicationId + "-reset");
        var group = cluster.CreateGroupCoordinator(applicationId + "-reset", applicationId);
        await using (group.ConfigureAwait(false))
        {
            // Without input topics too the group is asked for its consent, by an offset of a topic that is deleted right after, and the offset with it.
            var offsets = plan.Offsets.Select(offset => new OffsetCommit(offset.Partition, offset.To, "")).ToList();
            if (offsets.Count == 0) offsets.AddRange(plan.InternalTopics.Take(1).Select(topic => new OffsetCommit(new TopicPartition(topic, 0), 0, "")));
            if (offsets.Count > 0)
            {
                var error = await group.CommitOffsetsAsync(GroupMembership.None(applicationId), offsets, cancellationToken).ConfigureAwait(false);
                if (error != GroupError.None)
                {
                    throw new InvalidOperationException(
                        $"Group '{applicationId}' has members ({error}): stop all instances of the application. One that was killed is a member until its session time-out has passed.");
                }
            }
        }

        if (plan.InternalTopics.Count > 0) await admin.DeleteTopicsAsync(plan.InternalTopics, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a topic is one that an application has made for itself, by its name.</summary>
    public static bool IsInternal(string applicationId, string topic)
    {
        ArgumentNullException.ThrowIfNull(applicationId);
        ArgumentNullException.ThrowIfNull(topic);
        return topic.StartsWith(applicationId + "-", StringComparison.Ordinal)
            && (topic.EndsWith("-changelog", StringComparison.Ordinal)
                || topic.EndsWith("-repartition", StringComparison.Ordinal)
                || (topic.EndsWith("-topic", StringComparison.Ordinal) && topic.Contains("-FK-JOIN-SUBSCRIPTION-", StringComparison.Ordinal))
                || topic.EndsWith("-subscription-registration-topic", StringComparison.Ordinal)
                || topic.EndsWith("-subscription-response-topic", StringComparison.Ordinal));
    }
}
