using System.Runtime.CompilerServices;
using Streams.Client.Consuming;
using Streams.Core;
using Position = Streams.Client.Consuming.Position;

namespace Streams.Client;

/// <summary>Reads typed records of topics of a cluster: Apache Kafka, or a broker in this process; alone, or sharing partitions with the other members of a group.</summary>
/// <remarks>
/// <para>Choose partitions once, by <see cref="SubscribeAsync"/> (a group divides them) or <see cref="AssignAsync(IReadOnlyCollection{TopicPartitionOffset}, CancellationToken)"/>, then read with
/// <see cref="ReadAllAsync"/>. The group's protocol is the classic one with Kafka's own assignors, so members may be clients of any language; a rebalance stops reading on all members.</para>
/// <para>One reader at a time; everything else may be called from any thread. Signs of life are sent by themselves, however long a record takes; a rebalance, however, goes on without asking
/// the reader, so a record in hand when partitions are taken away will be read by another member too.</para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class Consumer<K, V> : IAsyncDisposable, IGroupMemberOwner
{
    private readonly ICluster _cluster;
    private readonly ConsumerSettings _settings;
    private readonly IDeserializer<K> _keyDeserializer;
    private readonly IDeserializer<V> _valueDeserializer;
    private readonly IClusterAdmin _admin;
    private readonly IGroupCoordinator? _coordinator;
    private readonly ConsumerThread _thread;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _committing = new(1, 1);
    private readonly Task _autoCommits;
    private GroupMember? _membership;
    private Task _staying = Task.CompletedTask;
    private int _chosen;
    private int _reading;
    private int _disposed;

    // The batch in hand outlives an enumeration that ends in the middle of it: the next one goes on there.
    private Fetched? _inHand;
    private int _nextIndex;

    /// <summary>Creates a consumer; connects when partitions are chosen.</summary>
    /// <param name="cluster">Where it reads; not disposed with it.</param>
    /// <param name="settings">How; <c>null</c> for the defaults.</param>
    /// <param name="keyDeserializer">Reads keys; the built-in serde by default.</param>
    /// <param name="valueDeserializer">Reads values; the built-in serde by default.</param>
    /// <exception cref="ConfigException">The settings are wrong, or a type has no built-in serde.</exception>
    public Consumer(ICluster cluster, ConsumerSettings? settings = null, IDeserializer<K>? keyDeserializer = null, IDeserializer<V>? valueDeserializer = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        _settings = settings ?? new ConsumerSettings();
        _settings.Validate();
        var name = $"Consumer '{_settings.ClientId}'";
        _keyDeserializer = keyDeserializer ?? ClientSerdes.BuiltIn<K>(name, "key");
        _valueDeserializer = valueDeserializer ?? ClientSerdes.BuiltIn<V>(name, "value");
        _cluster = cluster;
        _admin = cluster.CreateAdmin(_settings.ClientId);
        if (_settings.GroupId is { } group) _coordinator = cluster.CreateGroupCoordinator(_settings.ClientId, group);
        var consumer = cluster.CreateConsumer(new ConsumerOptions
        {
            ClientId = _settings.ClientId,
            ReadCommitted = _settings.ReadCommitted,
            MaxBufferedBytes = _settings.MaxBufferedBytes,
            Properties = _settings.Properties,
        });
        _thread = new ConsumerThread(consumer, $"consumer {_settings.ClientId}", Reset);
        _autoCommits = _coordinator is not null && _settings.AutoCommitInterval is { } interval ? CommitNowAndThenAsync(interval) : Task.CompletedTask;
    }

    /// <summary>The partitions that are read now.</summary>
    public IReadOnlyCollection<TopicPartition> Assignment => [.. _thread.Positions.Select(position => position.Partition)];

    /// <summary>Who the consumer is in its group, for transactions: <see cref="ProducerTransaction.SendOffsetsAsync"/>.</summary>
    /// <exception cref="InvalidOperationException">There is no <see cref="ConsumerSettings.GroupId"/>.</exception>
    public GroupMembership Membership => _membership?.Current ?? GroupMembership.None(GroupId());

    /// <summary>Offset of the next record of each partition that <see cref="ReadAllAsync"/> will give out.</summary>
    public IReadOnlyCollection<TopicPartitionOffset> Positions => [.. _thread.Positions.Select(position => new TopicPartitionOffset(position.Partition, position.Delivered))];

    /// <summary>Joins the group and reads whatever partitions it gives this member, from the committed offsets on. Returns at once; a topic that does not exist yet is found later.</summary>
    /// <exception cref="InvalidOperationException">There is no group, or partitions were chosen already.</exception>
    public Task SubscribeAsync(IReadOnlyCollection<string> topics)
    {
        ArgumentNullException.ThrowIfNull(topics);
        if (topics.Count == 0 || topics.Any(string.IsNullOrEmpty)) throw new ArgumentException("Name at least one topic, and no empty one.", nameof(topics));
        GroupId();
        Choose();
        _membership = new GroupMember(_coordinator!, _admin, _settings, [.. topics.Distinct(StringComparer.Ordinal)], this);
        _staying = StayAsync(_membership);
        return Task.CompletedTask;
    }

    /// <summary>Reads partitions chosen by hand from the committed offsets on, or where <see cref="ConsumerSettings.AutoOffsetReset"/> says.</summary>
    public async Task AssignAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        Choose();
        await _thread.AssignAsync(await StartsAsync(partitions, cancellationToken).ConfigureAwait(false)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads partitions chosen by hand from the given offsets on.</summary>
    public async Task AssignAsync(IReadOnlyCollection<TopicPartitionOffset> partitions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        foreach (var (partition, offset) in partitions) ArgumentOutOfRangeException.ThrowIfNegative(offset, partition.ToString());
        Choose();
        await _thread.AssignAsync([.. partitions]).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Records as they come, without end. A record counts as processed when the next one is asked for.</summary>
    /// <param name="cancellationToken">Ends reading; it can be taken up again where it was.</param>
    /// <exception cref="ConsumeException">A record cannot be read; reading can be taken up again after seeking past it.</exception>
    /// <exception cref="InvalidOperationException">There is a reader already.</exception>
    public async IAsyncEnumerable<ConsumeResult<K, V>> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) == 1, this);
        if (Interlocked.Exchange(ref _reading, 1) == 1) throw new InvalidOperationException("The consumer is being read already; it has one reader at a time.");
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_inHand is not { } current)
                {
                    if (!await _thread.Batches.WaitToReadAsync(cancellationToken).ConfigureAwait(false)) yield break;
                    if (!_thread.Batches.TryRead(out current)) continue;
                    _thread.Taken();
                    _inHand = current;
                    _nextIndex = 0;
                }

                var (position, batch) = current;
                if (position.IsOver)
                {
                    Drop(batch);
                    continue;
                }

                if (_nextIndex == batch.Count)
                {
                    // Also past control records and what was compacted away, which take offsets and are not given out.
                    position.Delivered = position.Processed = batch.NextOffset;
                    Drop(batch);
                    continue;
                }

                // Before a seek, what comes before the target is in the same batch.
                if (batch[_nextIndex].Offset < position.Delivered)
                {
                    _nextIndex++;
                    continue;
                }

                var result = Read(batch, _nextIndex);
                _nextIndex++;
                position.Delivered = result.Offset + 1;
                yield return result;
                position.Processed = result.Offset + 1;
            }
        }
        finally
        {
            // Closing leaves the batch to a reader that is still there.
            if (Volatile.Read(ref _disposed) == 1 && _inHand is { } left) Drop(left.Batch);
            Volatile.Write(ref _reading, 0);
        }
    }

    /// <summary>Commits all records given out so far, the one in hand included.</summary>
    /// <exception cref="CommitFailedException">The group has given the partitions to others meanwhile.</exception>
    /// <exception cref="InvalidOperationException">There is no group.</exception>
    public Task CommitAsync(CancellationToken cancellationToken = default)
    {
        GroupId();
        return CommitAsync(static position => position.Delivered, cancellationToken);
    }

    /// <summary>Commits offsets of the next records to read.</summary>
    /// <exception cref="CommitFailedException">The group has given the partitions to others meanwhile.</exception>
    /// <exception cref="InvalidOperationException">There is no group.</exception>
    public async Task CommitAsync(IReadOnlyCollection<TopicPartitionOffset> offsets, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        GroupId();
        await CommitAsync([.. offsets.Select(entry => new OffsetCommit(entry.Partition, entry.Offset, ""))], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Offsets to put into a transaction: those after the last records given out.</summary>
    public IReadOnlyCollection<OffsetCommit> OffsetsToCommit() => [.. _thread.Positions.Select(position => new OffsetCommit(position.Partition, position.Delivered, ""))];

    /// <summary>Committed offsets of the group; partitions without one are left out.</summary>
    /// <exception cref="InvalidOperationException">There is no group.</exception>
    public async Task<IReadOnlyDictionary<TopicPartition, long>> CommittedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        GroupId();
        var committed = await _coordinator!.FetchOffsetsAsync(partitions, cancellationToken).ConfigureAwait(false);
        return committed.ToDictionary(entry => entry.Key, entry => entry.Value.Offset);
    }

    /// <summary>Goes on at an offset of an assigned partition; what was fetched of it before is dropped.</summary>
    /// <exception cref="InvalidOperationException">The partition is not assigned.</exception>
    public Task SeekAsync(TopicPartition partition, long offset, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return _thread.SeekAsync(new TopicPartitionOffset(partition, offset)).WaitAsync(cancellationToken);
    }

    /// <summary>Goes on, in all assigned partitions, at the first record that is not older than a time; at the end where there is none.</summary>
    public async Task SeekAsync(DateTimeOffset time, CancellationToken cancellationToken = default)
    {
        var offsets = await _admin.OffsetsForTimeAsync([.. Assignment], time, cancellationToken).ConfigureAwait(false);
        foreach (var (partition, offset) in offsets) await _thread.SeekAsync(new TopicPartitionOffset(partition, offset)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops reading partitions until they are resumed; what is fetched of them already may still come.</summary>
    public Task PauseAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        return _thread.CallAsync(consumer => consumer.Pause(partitions)).WaitAsync(cancellationToken);
    }

    /// <summary>Goes on with paused partitions.</summary>
    public Task ResumeAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        return _thread.CallAsync(consumer => consumer.Resume(partitions)).WaitAsync(cancellationToken);
    }

    /// <summary>Commits what is processed (unless <see cref="ConsumerSettings.AutoCommitInterval"/> is <c>null</c>), leaves the group and closes. A reader's enumeration ends.</summary>
    /// <exception cref="StreamsException">The last commit failed; everything is closed all the same.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _staying.ConfigureAwait(false);
        await _autoCommits.ConfigureAwait(false);
        try
        {
            if (_coordinator is not null && _settings.AutoCommitInterval is not null) await CommitProcessedAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (_membership is not null) await _membership.LeaveAsync(CancellationToken.None).ConfigureAwait(false);
            await _thread.CloseAsync().ConfigureAwait(false);
            if (_coordinator is not null) await _coordinator.DisposeAsync().ConfigureAwait(false);
            _admin.Dispose();
            _stopping.Dispose();
            _committing.Dispose();

            // A reader that is still there gives its batch back itself.
            if (Interlocked.Exchange(ref _reading, 1) == 0) _inHand?.Batch.Dispose();
        }
    }

    /// <inheritdoc/>
    async Task IGroupMemberOwner.AssignAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
        await _thread.AssignAsync(await StartsAsync(partitions, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);

    /// <inheritdoc/>
    async Task IGroupMemberOwner.RevokeAsync()
    {
        if (_settings.AutoCommitInterval is not null)
        {
            try
            {
                await CommitProcessedAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (StreamsException)
            {
                // The records are read again by whoever gets the partitions: at least once is what automatic commits promise.
            }
        }

        await _thread.AssignAsync([]).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    Task IGroupMemberOwner.LoseAsync() => _thread.AssignAsync([]);

    private void Drop(RecordBatch batch)
    {
        _inHand = null;
        batch.Dispose();
    }

    private ConsumeResult<K, V> Read(RecordBatch batch, int index)
    {
        ref readonly var slice = ref batch[index];
        var part = "key";
        try
        {
            var key = slice.HasKey ? _keyDeserializer.Deserialize(batch.Key(index)) : default!;
            part = "value";
            var value = slice.HasValue ? _valueDeserializer.Deserialize(batch.Value(index)) : default!;
            part = "headers";
            return new ConsumeResult<K, V>(batch.Partition, slice.Offset, new Record<K, V>(key, slice.HasKey, value, slice.HasValue, slice.Timestamp, batch.Headers(index)));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new ConsumeException(batch.Partition, slice.Offset, $"The {part} of the record at offset {slice.Offset} of {batch.Partition} cannot be read: {failure.Message}", failure);
        }
    }

    private void Choose()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) == 1, this);
        if (Interlocked.Exchange(ref _chosen, 1) == 1) throw new InvalidOperationException("Partitions were chosen already; use another consumer for others.");
    }

    private string GroupId() => _settings.GroupId ?? throw new InvalidOperationException($"The consumer has no {nameof(ConsumerSettings.GroupId)}.");

    private async Task StayAsync(GroupMember membership)
    {
        try
        {
            await Task.Run(() => membership.RunAsync(_stopping.Token), _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Being closed.
        }
        catch (Exception failure)
        {
            // The reader is who can decide.
            _thread.Fail(failure);
        }
    }

    private async Task CommitNowAndThenAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, _settings.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    await CommitProcessedAsync(_stopping.Token).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is ClusterUnavailableException or CommitFailedException)
                {
                    // Tried again with the next tick; a rebalance under way tells where reading goes on.
                }
                catch (StreamsException failure)
                {
                    _thread.Fail(failure);
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Being closed, which commits once more.
        }
    }

    private Task CommitProcessedAsync(CancellationToken cancellationToken) => CommitAsync(static position => position.Processed, cancellationToken);

    private async Task CommitAsync(Func<Position, long> offsetOf, CancellationToken cancellationToken)
    {
        var due = _thread.Positions.Select(position => (Position: position, Offset: offsetOf(position))).Where(entry => entry.Offset != entry.Position.Committed).ToList();
        await CommitAsync([.. due.Select(entry => new OffsetCommit(entry.Position.Partition, entry.Offset, ""))], cancellationToken).ConfigureAwait(false);
        foreach (var (position, offset) in due) position.Committed = offset;
    }

    private async Task CommitAsync(IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken)
    {
        if (offsets.Count == 0) return;

        // One at a time: of two commits under way the older could be the last to arrive.
        await _committing.WaitAsync(cancellationToken).ConfigureAwait(false);
        GroupError error;
        try
        {
            error = await _coordinator!.CommitOffsetsAsync(Membership, offsets, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _committing.Release();
        }

        if (error != GroupError.None)
            throw new CommitFailedException($"Group '{_settings.GroupId}' refused offsets of {string.Join(", ", offsets.Select(offset => $"{offset.Partition}@{offset.Offset}"))}: {error}. The partitions are being given to other members.");
    }

    private async Task<IReadOnlyCollection<TopicPartitionOffset>> StartsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        if (partitions.Count == 0) return [];
        var starts = new List<TopicPartitionOffset>();
        var unknown = new List<TopicPartition>(partitions);
        if (_coordinator is not null)
        {
            foreach (var (partition, committed) in await _coordinator.FetchOffsetsAsync(partitions, cancellationToken).ConfigureAwait(false))
            {
                starts.Add(new TopicPartitionOffset(partition, committed.Offset));
                unknown.Remove(partition);
            }
        }

        if (unknown.Count > 0) starts.AddRange((await ResetOffsetsAsync(unknown, cancellationToken).ConfigureAwait(false)).Select(entry => new TopicPartitionOffset(entry.Key, entry.Value)));
        return starts;
    }

    private Task<IReadOnlyDictionary<TopicPartition, long>> ResetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => _settings.AutoOffsetReset switch
    {
        OffsetReset.Earliest => _admin.BeginningOffsetsAsync(partitions, cancellationToken),
        OffsetReset.Latest => _admin.EndOffsetsAsync(partitions, _settings.ReadCommitted, cancellationToken),
        _ => throw new ConfigException($"{string.Join(", ", partitions)}: there is no offset to begin at, and {nameof(ConsumerSettings.AutoOffsetReset)} is {nameof(OffsetReset.None)}."),
    };

    // On the consumer's thread, which has nothing else to do for a partition that has no position.
    private TopicPartitionOffset Reset(OffsetOutOfRangeException failure)
    {
        var offsets = Task.Run(() => ResetOffsetsAsync([failure.Partition], _stopping.Token)).GetAwaiter().GetResult();
        return new TopicPartitionOffset(failure.Partition, offsets[failure.Partition]);
    }
}
