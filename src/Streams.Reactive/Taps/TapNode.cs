using Streams.Core;

namespace Streams.Reactive.Taps;

/// <summary>Shows every record of a stream to those who subscribe; the end of the stream.</summary>
internal sealed class TapNode<K, V>(Outlet<Record<K, V>> outlet, TapDelivery delivery) : Processor<K, V>, IPacedNode
{
    private readonly List<Record<K, V>> _uncommitted = [];
    private Action? _wake;
    private bool _isInline;

    public override void Process(in Record<K, V> record)
    {
        if (delivery == TapDelivery.AsProcessed) outlet.Publish(in record, _isInline);
        else if (outlet.TryHold()) _uncommitted.Add(record);
    }

    // Where what waits for a commit is what fills the buffer, only a commit makes room.
    public bool HoldsTaskUp()
    {
        if (!outlet.IsPaused) return false;
        if (_uncommitted.Count > 0) Context.Commit();
        return true;
    }

    public bool WantsRest => false;

    public void Rest()
    {
    }

    public void Committed()
    {
        if (_uncommitted.Count == 0) return;
        outlet.Release(_uncommitted, _isInline);
        _uncommitted.Clear();
    }

    protected override void Init()
    {
        // The test driver has no thread of its own that anybody could be called on, and its clock stands still.
        _isInline = !Context.Task.Async.Waits;
        _wake = Context.Task.Paced.Wake;
        Context.Task.Paced.Add(this);
        outlet.AddTask(_wake);
    }

    protected internal override void Close()
    {
        outlet.Discard(_uncommitted.Count);
        _uncommitted.Clear();
        if (_wake is not null) outlet.RemoveTask(_wake);
    }
}
