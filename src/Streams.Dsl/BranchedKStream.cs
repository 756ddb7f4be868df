using System.Globalization;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// A stream being split: each record goes to the first branch whose predicate says yes, else to the default branch if there is one.
/// End with <see cref="DefaultBranch"/> or <see cref="NoDefaultBranch"/>. Source: KIP-418.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class BranchedKStream<K, V>
{
    private readonly KStream<K, V> _source;
    private readonly List<BranchTarget<K, V>> _targets = [];
    private readonly Dictionary<string, KStream<K, V>> _result = [];
    private readonly ProcessorGraphNode<K, V> _splitter;
    private string? _defaultNode;
    private bool _isComplete;

    internal BranchedKStream(KStream<K, V> source, Named? named)
    {
        _source = source;
        var graph = source.Graph;
        _splitter = new ProcessorGraphNode<K, V>(
            graph.NameOf(named, "KSTREAM-BRANCH-"),
            () => new StreamBranch<K, V>(_targets, _defaultNode));
        graph.Add(source.Node, _splitter);
    }

    /// <summary>Adds a branch.</summary>
    /// <param name="predicate">Which records go there, of those that no earlier branch took.</param>
    /// <param name="branched">Its name and what becomes of it.</param>
    public BranchedKStream<K, V> Branch(Func<K, V, bool> predicate, Branched<K, V>? branched = null)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        ThrowIfComplete();
        var node = AddBranch(branched, _targets.Count + 1);
        _targets.Add(new BranchTarget<K, V>(node, predicate));
        return this;
    }

    /// <summary>Adds the branch for records that no other took, and ends the split.</summary>
    /// <returns>The branches by name: the split's name followed by the branch's.</returns>
    public IReadOnlyDictionary<string, KStream<K, V>> DefaultBranch(Branched<K, V>? branched = null)
    {
        ThrowIfComplete();
        _defaultNode = AddBranch(branched, 0);
        _isComplete = true;
        return _result;
    }

    /// <summary>Ends the split; records that no branch took are dropped, silently.</summary>
    /// <returns>The branches by name: the split's name followed by the branch's.</returns>
    public IReadOnlyDictionary<string, KStream<K, V>> NoDefaultBranch()
    {
        ThrowIfComplete();
        _isComplete = true;
        return _result;
    }

    private string AddBranch(Branched<K, V>? branched, int index)
    {
        var graph = _source.Graph;
        var name = _splitter.Name + (branched?.Name ?? index.ToString(CultureInfo.InvariantCulture));
        if (_result.ContainsKey(name) || name == _defaultNode || _targets.Exists(target => target.NodeName == name))
            throw new TopologyException($"The split '{_splitter.Name}' has a branch '{name}' already; give each branch a name of its own.");

        // The number is not part of the name, but it is used up, as in Kafka Streams.
        graph.NewProcessorName(name);
        var node = new ProcessorGraphNode<K, V>(name, static () => new PassThrough<K, V>());
        graph.Add(_splitter, node);
        var stream = _source.With(node, _source.RepartitionRequired);
        if (branched?.Chain is { } chain)
        {
            if (chain(stream) is { } result) _result.Add(name, result);
        }
        else
        {
            _result.Add(name, stream);
        }

        return name;
    }

    private void ThrowIfComplete()
    {
        if (_isComplete) throw new TopologyException($"The split '{_splitter.Name}' has been ended with DefaultBranch or NoDefaultBranch already.");
    }
}
