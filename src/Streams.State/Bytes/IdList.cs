using System.Diagnostics;

namespace Streams.State.Bytes;

/// <summary>A linked list of small numbers, each at most once, with constant-time moves: the order in which entries were last touched.</summary>
internal sealed class IdList
{
    private const int None = -1;
    private const int NotIn = -2;

    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>First id, or -1.</summary>
    public int First { get; private set; } = None;

    /// <summary>Last id, or -1.</summary>
    public int Last { get; private set; } = None;

    public int Count { get; private set; }

    public bool Contains(int id) => id < _previous.Length && _previous[id] != NotIn;

    /// <summary>Puts an id last, wherever it was.</summary>
    public void MoveToEnd(int id)
    {
        if (Last == id) return;
        if (Contains(id)) Remove(id);
        else Grow(id);

        _previous[id] = Last;
        _next[id] = None;
        if (Last != None) _next[Last] = id;
        else First = id;
        Last = id;
        Count++;
    }

    public void Remove(int id)
    {
        Debug.Assert(Contains(id), "only what is in the list is removed");
        var (previous, next) = (_previous[id], _next[id]);
        if (previous != None) _next[previous] = next;
        else First = next;
        if (next != None) _previous[next] = previous;
        else Last = previous;
        _previous[id] = NotIn;
        Count--;
    }

    private void Grow(int id)
    {
        if (id < _next.Length) return;
        var old = _next.Length;
        var size = Math.Max(16, Math.Max(id + 1, old * 2));
        Array.Resize(ref _next, size);
        Array.Resize(ref _previous, size);
        Array.Fill(_previous, NotIn, old, size - old);
    }
}
