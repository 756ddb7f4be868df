namespace Streams.Dsl.Nodes;

/// <summary>One way out of a split: the node's name and the predicate that leads there.</summary>
internal sealed record BranchTarget<K, V>(string NodeName, Func<K, V, bool> Predicate);

/// <summary>Sends each record to the first branch whose predicate says yes, else to the default branch, else nowhere.</summary>
/// <remarks>A record with an absent struct cannot be shown to a predicate, so it goes to the default branch.</remarks>
internal sealed class StreamBranch<K, V>(IReadOnlyList<BranchTarget<K, V>> targets, string? defaultNode) : Processor<K, V, K, V>
{
    private Func<K, V, bool>[] _predicates = [];
    private int[] _children = [];
    private int _defaultChild = -1;

    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShow(in record))
        {
            for (var index = 0; index < _predicates.Length; index++)
            {
                if (!_predicates[index](record.Key, record.Value)) continue;
                Forward(in record, _children[index]);
                return;
            }
        }

        if (_defaultChild >= 0) Forward(in record, _defaultChild);
    }

    protected override void Init()
    {
        _predicates = new Func<K, V, bool>[targets.Count];
        _children = new int[targets.Count];
        for (var index = 0; index < targets.Count; index++)
        {
            _predicates[index] = targets[index].Predicate;
            _children[index] = ChildIndex(targets[index].NodeName);
        }

        if (defaultNode is not null) _defaultChild = ChildIndex(defaultNode);
    }
}
