using System.Collections.Concurrent;
using Streams.Core;

namespace Streams.Reactive.Views;

/// <summary>
/// Tells viewers the rows of a table's partition, and then its changes. Rows are read between two records, and no record is taken until a viewer has been told them all: the
/// store and the changes cannot disagree.
/// </summary>
internal sealed class ViewNode<K, V>(ViewHub<K, V> hub, TableRows<K, V> rows, string storeName) : Processor<K, Change<V>>, IPacedNode
{
    private readonly ConcurrentQueue<Viewer<K, V>> _waiting = new();
    private readonly List<Viewer<K, V>> _following = [];
    private Viewer<K, V>? _reading;
    private IEnumerator<Record<K, V>>? _rest;
    private PacedNodes? _paced;
    private Action? _wake;
    private bool _isInline;

    /// <summary>Takes a viewer in; from any thread.</summary>
    public void Want(Viewer<K, V> viewer) => _waiting.Enqueue(viewer);

    /// <summary>Says that there is one; from any thread.</summary>
    public void Wake()
    {
        if (_isInline) _paced!.RestNow();
        else _wake!();
    }

    public override void Process(in Record<K, Change<V>> record)
    {
        BeginAnew();
        if (_following.Count == 0) return;
        var change = record.Value;
        var update = new Record<K, V>(record.Key, record.HasKey, change.NewValue, change.HasNew, record.Timestamp, record.HeadersOrNull);
        var gone = false;
        foreach (var viewer in _following)
        {
            if (viewer.Subscription.IsOver) gone = true;
            else if (viewer.Wants(in update)) Tell(viewer, ViewChangeKind.Update, in update);
        }

        if (gone) _following.RemoveAll(static viewer => viewer.Subscription.IsOver);
    }

    public bool HoldsTaskUp() => hub.Outlet.IsPaused || _reading is not null || !_waiting.IsEmpty;

    public bool WantsRest => _reading is { } viewer ? viewer.Subscription.IsOver || !viewer.Subscription.IsPausing : !_waiting.IsEmpty;

    public void Rest()
    {
        while (true)
        {
            if (_reading is null)
            {
                if (!_waiting.TryDequeue(out var next)) return;
                _reading = next;
                _rest = next.Key.HasValue ? One(next.Key.Value) : rows.All();
            }

            while (true)
            {
                if (_reading.Subscription.IsOver) break;
                if (_reading.Subscription.IsPausing) return;
                if (_rest!.MoveNext())
                {
                    var row = _rest.Current;
                    Tell(_reading, ViewChangeKind.Row, in row);
                    continue;
                }

                Tell(_reading, ViewChangeKind.Ready, default);
                _following.Add(_reading);
                break;
            }

            Stop();
        }
    }

    public void Committed()
    {
    }

    protected override void Init()
    {
        rows.Init(Context, storeName);
        _paced = Context.Task.Paced;
        _isInline = !Context.Task.Async.Waits;
        _wake = _paced.Wake;
        _paced.Add(this);
        hub.Outlet.AddTask(_wake);
        hub.Add(this);
    }

    protected internal override void Close()
    {
        if (_wake is null) return;
        hub.Remove(this);
        hub.Outlet.RemoveTask(_wake);
        if (_reading is not null) _following.Add(_reading);
        Stop();
        foreach (var viewer in _following) Tell(viewer, ViewChangeKind.Lost, default);
        _following.Clear();
    }

    private void Tell(Viewer<K, V> viewer, ViewChangeKind kind, in Record<K, V> record) =>
        hub.Outlet.PublishTo(viewer.Subscription, new ViewChange<K, V>(kind, Context.TaskId.Partition, record), _isInline);

    // No record is taken while rows are read, but a commit takes in asynchronous calls, whose results may change rows that have been told, or are about to be.
    private void BeginAnew()
    {
        if (_reading is not { } viewer) return;
        Stop();
        Tell(viewer, ViewChangeKind.Lost, default);
        _waiting.Enqueue(viewer);
    }

    private IEnumerator<Record<K, V>> One(K key)
    {
        if (rows.TryGet(key, out var row)) yield return row;
    }

    private void Stop()
    {
        _rest?.Dispose();
        _rest = null;
        _reading = null;
    }
}
