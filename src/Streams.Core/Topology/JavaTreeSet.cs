namespace Streams.Core;

/// <summary>
/// A set in the order in which a Java <c>TreeSet</c> gives its elements, also when what they are compared by changes after they were added: an element
/// then stays where the comparisons of its time led it, and later ones are led by the tree as it stands. Kafka Streams' description keeps a node's
/// neighbours in such sets while it still counts what hangs behind them, so the shape of the tree is part of the format.
/// </summary>
/// <remarks>
/// The red-black tree of the textbook (Cormen et al., insertion only), which is what <c>java.util.TreeMap</c> is: a sorted list gives another order as soon as
/// an element has outgrown its place.
/// </remarks>
/// <typeparam name="T">Element type.</typeparam>
/// <param name="comparison">Negative when the first comes before the second; two elements are never equal in it.</param>
internal sealed class JavaTreeSet<T>(Comparison<T> comparison)
{
    private Node? _root;

    /// <summary>Adds an element, unless a comparison on the way says that it is there.</summary>
    public void Add(T element)
    {
        Node? parent = null;
        var isLeft = false;
        for (var node = _root; node is not null; node = isLeft ? node.Left : node.Right)
        {
            var order = comparison(element, node.Element);
            if (order == 0) return;
            parent = node;
            isLeft = order < 0;
        }

        var added = new Node(element) { Parent = parent, IsRed = true };
        if (parent is null) _root = added;
        else if (isLeft) parent.Left = added;
        else parent.Right = added;
        Balance(added);
    }

    /// <summary>The elements, as the tree has them from left to right.</summary>
    public IReadOnlyList<T> InOrder()
    {
        var elements = new List<T>();
        Visit(_root);
        return elements;

        void Visit(Node? node)
        {
            if (node is null) return;
            Visit(node.Left);
            elements.Add(node.Element);
            Visit(node.Right);
        }
    }

    private void Balance(Node node)
    {
        while (node.Parent is { IsRed: true, Parent: { } grandparent } parent)
        {
            var isLeft = parent == grandparent.Left;
            if ((isLeft ? grandparent.Right : grandparent.Left) is { IsRed: true } uncle)
            {
                parent.IsRed = uncle.IsRed = false;
                grandparent.IsRed = true;
                node = grandparent;
                continue;
            }

            if (node == (isLeft ? parent.Right : parent.Left))
            {
                Rotate(parent, toLeft: isLeft);
                parent = node;
            }

            parent.IsRed = false;
            grandparent.IsRed = true;
            Rotate(grandparent, toLeft: !isLeft);
            break;
        }

        _root!.IsRed = false;
    }

    private void Rotate(Node node, bool toLeft)
    {
        var child = (toLeft ? node.Right : node.Left)!;
        var moved = toLeft ? child.Left : child.Right;
        if (toLeft) (node.Right, child.Left) = (moved, node);
        else (node.Left, child.Right) = (moved, node);
        if (moved is not null) moved.Parent = node;
        child.Parent = node.Parent;
        if (node.Parent is not { } parent) _root = child;
        else if (parent.Left == node) parent.Left = child;
        else parent.Right = child;
        node.Parent = child;
    }

    private sealed class Node(T element)
    {
        public T Element { get; } = element;

        public Node? Parent { get; set; }

        public Node? Left { get; set; }

        public Node? Right { get; set; }

        public bool IsRed { get; set; }
    }
}
