using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>The partitions a client fetches again and again, so that it need not name them each time (KIP-227). Used under its own lock.</summary>
internal sealed class FetchSession(int id, bool usesTopicIds)
{
    private readonly Dictionary<FetchKey, FetchTarget> _targets = [];
    private List<FetchTarget> _order = [];

    public Lock Gate { get; } = new();

    public int Id { get; } = id;

    /// <summary>Whether the client names topics by their ids, as it must go on to.</summary>
    public bool UsesTopicIds { get; } = usesTopicIds;

    /// <summary>The epoch that the next request must have.</summary>
    public int NextEpoch { get; private set; } = 1;

    /// <summary>A timestamp of the clock at the last request.</summary>
    public long LastUsed { get; set; }

    public int Count => _order.Count;

    /// <summary>Applies what a request changes, and gives all partitions of the session in the order in which they are due.</summary>
    public IReadOnlyList<FetchTarget> Update(FetchRequest request, IEnumerable<FetchTarget> named)
    {
        var forgotten = new HashSet<FetchKey>(request.ForgottenTopicsData.SelectMany(
            topic => topic.Partitions.Select(partition => FetchHandler.KeyOf(topic.Topic, topic.TopicId, partition, UsesTopicIds))));
        foreach (var target in named)
        {
            forgotten.Remove(target.Key);
            if (_targets.TryGetValue(target.Key, out var known))
            {
                known.Asked = target.Asked;
                continue;
            }

            _targets.Add(target.Key, target);
            _order.Add(target);
        }

        if (forgotten.Count > 0)
        {
            _order.RemoveAll(target => forgotten.Contains(target.Key));
            foreach (var key in forgotten)
                _targets.Remove(key);
        }

        return _order;
    }

    /// <summary>Counts the request that begins or continues the session.</summary>
    public void Advance() => NextEpoch = NextEpoch == int.MaxValue ? 1 : NextEpoch + 1;

    /// <summary>
    /// Notes what the client is told, and lets partitions that had data wait behind the others, so that a busy one does not take the whole
    /// answer each time.
    /// </summary>
    public void Answered(IReadOnlyList<(FetchTarget Target, FetchResponse.PartitionData Result)> results)
    {
        var served = new HashSet<FetchTarget>();
        foreach (var (target, result) in results)
        {
            target.Remember(result);
            if (result.Records is { Length: > 0 })
                served.Add(target);
        }

        // A new list: another request may be reading the old one.
        if (served.Count > 0 && served.Count < _order.Count)
            _order = [.. _order.Where(target => !served.Contains(target)), .. _order.Where(served.Contains)];
    }
}
