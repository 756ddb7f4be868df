using Streams.Core;
using Streams.Reactive.Taps;

namespace Streams.Reactive.Views;

/// <summary>Who wants to see a table, with the key that is wanted, if it is one.</summary>
internal sealed record Viewer<K, V>(Subscription<ViewChange<K, V>> Subscription, Optional<K> Key)
{
    public bool Wants(in Record<K, V> record) => !Key.HasValue || EqualityComparer<K>.Default.Equals(Key.Value, record.Key);
}

/// <summary>Brings viewers and the tasks of a table together, whoever comes first.</summary>
internal sealed class ViewHub<K, V>(Outlet<ViewChange<K, V>> outlet)
{
    private readonly Lock _gate = new();
    private readonly List<ViewNode<K, V>> _nodes = [];
    private List<Viewer<K, V>> _viewers = [];

    public Outlet<ViewChange<K, V>> Outlet { get; } = outlet;

    public void Add(Subscription<ViewChange<K, V>> subscription, Optional<K> key)
    {
        Outlet.Add(subscription);
        var viewer = new Viewer<K, V>(subscription, key);
        ViewNode<K, V>[] nodes;
        lock (_gate)
        {
            _viewers = [.. _viewers.Where(static each => !each.Subscription.IsOver), viewer];
            nodes = [.. _nodes];
            foreach (var node in nodes) node.Want(viewer);
        }

        foreach (var node in nodes) node.Wake();
    }

    public void Add(ViewNode<K, V> node)
    {
        lock (_gate)
        {
            _nodes.Add(node);
            foreach (var viewer in _viewers) node.Want(viewer);
        }
    }

    public void Remove(ViewNode<K, V> node)
    {
        lock (_gate) _nodes.Remove(node);
    }
}
