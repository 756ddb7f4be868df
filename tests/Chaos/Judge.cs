using System.Globalization;
using System.Text;
using Streams.Core;

namespace Chaos;

/// <summary>
/// Reads the outputs as any consumer would and compares them with what the input alone says they must be. With exactly-once every update of a count is there once and
/// in order, and every pair once; with at-least-once nothing is missing.
/// </summary>
internal sealed class Judge : IDisposable
{
    private const int MaxFaults = 20;

    private readonly ICluster _cluster;
    private readonly IClusterAdmin _admin;
    private readonly IRecordConsumer _consumer;
    private readonly bool _isExact;
    private readonly int _pairs;
    private readonly byte[] _seen;
    private readonly Dictionary<string, int> _counts = [];
    private readonly Dictionary<string, int> _groups = [];
    private readonly Dictionary<TopicPartition, long> _positions = [];
    private int _different;

    public Judge(ICluster cluster, bool isExactlyOnce, int pairs)
    {
        _cluster = cluster;
        _admin = cluster.CreateAdmin("judge");
        _isExact = isExactlyOnce;
        _pairs = pairs;
        _seen = new byte[pairs];
        _consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "judge", ReadCommitted = isExactlyOnce });
        foreach (var topic in (string[])[Workload.Counts, Workload.Pairs, Workload.Groups])
        {
            for (var partition = 0; partition < Workload.Partitions; partition++) _positions.Add(new TopicPartition(topic, partition), 0);
        }

        _consumer.Assign([.. _positions.Select(entry => new TopicPartitionOffset(entry.Key, entry.Value))]);
    }

    public List<string> Faults { get; } = [];

    /// <summary>Different pairs that have come.</summary>
    public int PairsSeen => _different;

    /// <summary>Records read.</summary>
    public long Read { get; private set; }

    /// <summary>Whether nothing is missing any more.</summary>
    public bool IsComplete =>
        _different == _pairs
        && Enumerable.Range(0, Workload.Keys).All(key => _counts.GetValueOrDefault(Workload.Key(key)) >= Workload.Share(key, Workload.Keys, _pairs))
        && Enumerable.Range(0, Workload.GroupCount).All(group => _groups.GetValueOrDefault(GroupName(group)) >= Workload.Share(group, Workload.GroupCount, _pairs));

    public string Progress => $"{_different} of {_pairs} pairs, {_counts.Values.Sum(count => (long)count)} clicks and {_groups.Values.Sum(count => (long)count)} views counted";

    /// <summary>Reads on for at most so long; false when nothing came.</summary>
    public bool ReadOn(TimeSpan timeout)
    {
        var any = false;
        try
        {
            while (_consumer.Poll(any ? TimeSpan.Zero : timeout) is { } polled)
            {
                using var batch = polled;
                any = true;
                for (var index = 0; index < batch.Count; index++)
                {
                    Take(batch.Partition, batch[index].Offset, Encoding.UTF8.GetString(batch.Key(index)), Encoding.UTF8.GetString(batch.Value(index)));
                    Read++;
                }

                _positions[batch.Partition] = batch.NextOffset;
            }
        }
        catch (ClusterUnavailableException)
        {
            // The broker is away for a moment.
        }

        return any;
    }

    /// <summary>Reads to the very end, when nobody writes any more.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        var ends = await _admin.EndOffsetsAsync([.. _positions.Keys], readCommitted: false, cancellation).ConfigureAwait(false);
        var started = TimeProvider.System.GetTimestamp();
        while (ends.Any(end => _positions[end.Key] < end.Value))
        {
            ReadOn(TimeSpan.FromMilliseconds(200));
            if (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(60)) continue;
            Fault("the outputs cannot be read to their end: is a transaction left open?");
            break;
        }

        Compare(_counts, Workload.Keys, Workload.Key, "clicks of");
        Compare(_groups, Workload.GroupCount, GroupName, "views of");
        for (var number = 0; number < _pairs; number++)
        {
            if (_seen[number] == 0 || (_isExact && _seen[number] > 1)) Fault($"pair {number} came {_seen[number]} times");
        }

        await CompareStateAsync("click-counts", Workload.Keys, Workload.Key, cancellation).ConfigureAwait(false);
        await CompareStateAsync("group-counts", Workload.GroupCount, GroupName, cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _consumer.Dispose();
        _admin.Dispose();
    }

    private static string GroupName(int group) => Workload.Group(group.ToString(CultureInfo.InvariantCulture));

    private void Take(TopicPartition partition, long offset, string key, string value)
    {
        if (partition.Topic == Workload.Pairs)
        {
            var parts = value.Split(':');
            if (parts.Length != 2 || parts[0] != parts[1] || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= _pairs || Workload.Key(number) != key)
            {
                Fault($"{partition}@{offset}: '{key}' has pair '{value}', which is none");
                return;
            }

            if (_seen[number] == 0) _different++;
            if (_seen[number] < byte.MaxValue) _seen[number]++;
            if (_isExact && _seen[number] > 1) Fault($"{partition}@{offset}: pair {number} came a second time");
            return;
        }

        var counts = partition.Topic == Workload.Counts ? _counts : _groups;
        var count = int.Parse(value, CultureInfo.InvariantCulture);
        var before = counts.GetValueOrDefault(key);
        if (_isExact && count != before + 1) Fault($"{partition}@{offset}: '{key}' is counted {count} after {before}");
        counts[key] = _isExact ? count : Math.Max(before, count);
    }

    private void Compare(Dictionary<string, int> counts, int of, Func<int, string> name, string what)
    {
        for (var index = 0; index < of; index++)
        {
            var expected = Workload.Share(index, of, _pairs);
            var actual = counts.GetValueOrDefault(name(index));
            if (_isExact ? actual != expected : actual < expected) Fault($"{what} '{name(index)}': {actual} instead of {expected}");
        }
    }

    // The state as the next owner of the task would restore it.
    private async Task CompareStateAsync(string store, int of, Func<int, string> name, CancellationToken cancellation)
    {
        var topic = $"{CountingApplication.ApplicationId}-{store}-changelog";
        var partitions = Enumerable.Range(0, Workload.Partitions).Select(partition => new TopicPartition(topic, partition)).ToList();
        var begins = await _admin.BeginningOffsetsAsync(partitions, cancellation).ConfigureAwait(false);
        var ends = (await _admin.EndOffsetsAsync(partitions, readCommitted: false, cancellation).ConfigureAwait(false)).Where(end => end.Value > begins[end.Key]).ToDictionary();
        using var consumer = _cluster.CreateConsumer(new ConsumerOptions { ClientId = "judge-state", ReadCommitted = _isExact });
        consumer.Assign([.. ends.Select(end => new TopicPartitionOffset(end.Key, begins[end.Key]))]);
        var state = new Dictionary<string, int>();
        while (ends.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            using var batch = consumer.Poll(TimeSpan.FromSeconds(1));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++) state[Encoding.UTF8.GetString(batch.Key(index))] = checked((int)Serdes.Int64.Deserialize(batch.Value(index)));
            if (ends.TryGetValue(batch.Partition, out var end) && batch.NextOffset >= end) ends.Remove(batch.Partition);
        }

        Compare(state, of, name, $"state '{store}' of");
    }

    private void Fault(string text)
    {
        if (Faults.Count < MaxFaults) Faults.Add(text);
        else if (Faults.Count == MaxFaults) Faults.Add("… and more");
    }
}
