using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl.Async;

/// <summary>
/// Makes an asynchronous call per record, a bounded number at a time, and sends results on from the task's thread.
/// </summary>
/// <remarks>
/// <para>
/// Threads: the task's thread starts calls (a call runs on it up to its first await), and takes results in; whichever thread ends a call only puts it on a queue.
/// All other fields belong to the task's thread.
/// </para>
/// <para>
/// Failure: a call that has failed for good goes to the processing exception handler, on the task's thread, with the coordinates of its record. The
/// raw bytes of the record are gone by then and not shown to the handler.
/// </para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
/// <typeparam name="KOut">Key type of what is sent on.</typeparam>
/// <typeparam name="VOut">Value type of what is sent on.</typeparam>
/// <typeparam name="TResult">What a call gives.</typeparam>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "The token is cancelled in Close; calls that outlive the node may still look at it.")]
internal abstract class AsyncNode<K, V, KOut, VOut, TResult>(AsyncOptions options) : Processor<K, V, KOut, VOut>, IAsyncNode
{
    private static readonly TimeSpan _maxRetryDelay = TimeSpan.FromSeconds(10);

    private readonly int _maxPending = options.EffectiveMaxPending;
    private readonly ConcurrentQueue<Call> _done = new();
    private readonly Queue<Call> _ready = new();
    private readonly Queue<Call> _inOrder = new();
    private readonly Dictionary<Key, Call> _lastOfKey = [];
    private readonly CancellationTokenSource _closing = new();
    private TaskContext? _task;
    private AsyncCalls? _calls;
    private TimeProvider _time = TimeProvider.System;
    private int _running;
    private int _pending;

    public int Pending => _pending;

    public override void Process(in Record<K, V> record)
    {
        var calls = _calls!;
        while (_pending >= _maxPending && calls.Waits)
        {
            if (Drain() == 0) calls.WaitForAny(() => !_done.IsEmpty);
        }

        var call = new Call(in record, _task!.Coordinates);
        _pending++;
        if (options.Order == AsyncOrder.Partition) _inOrder.Enqueue(call);
        if (!CanCall(in record))
        {
            // Nothing to call for, but it keeps its place.
            call.IsSkipped = true;
        }

        if (options.Order == AsyncOrder.Key && record.HasKey)
        {
            ref var last = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_lastOfKey, new Key(record.Key), out var isBusy);
            if (isBusy) last!.Next = call;
            last = call;
            if (isBusy) return;
        }

        _ready.Enqueue(call);
        StartReady();
        if (!_done.IsEmpty) Drain();
    }

    public int Drain()
    {
        var drained = 0;
        while (_done.TryDequeue(out var call))
        {
            drained++;
            if (!call.IsSkipped) _running--;
            if (options.Order == AsyncOrder.Partition)
            {
                call.IsDone = true;
                while (_inOrder.TryPeek(out var first) && first.IsDone) TakeIn(_inOrder.Dequeue());
            }
            else
            {
                ReleaseKey(call);
                TakeIn(call);
            }

            StartReady();
        }

        return drained;
    }

    protected override void Init()
    {
        _task = Context.Task;
        _time = _task.Time;
        _calls = _task.Async;
        _calls.Add(this);
    }

    protected internal override void Close() => _closing.Cancel();

    /// <summary>Whether there is something to call for: a struct that is absent cannot be shown to a function.</summary>
    protected abstract bool CanCall(in Record<K, V> record);

    /// <summary>Makes the call.</summary>
    protected abstract Task<TResult> CallAsync(Record<K, V> record, CancellationToken cancellationToken);

    /// <summary>Sends on what a call gave.</summary>
    protected abstract void Emit(in Record<K, V> record, TResult result);

    /// <summary>Sends on a record that no call was made for.</summary>
    protected abstract void EmitSkipped(in Record<K, V> record);

    private void StartReady()
    {
        while (_running < options.MaxConcurrency && _ready.TryDequeue(out var call))
        {
            if (call.IsSkipped)
            {
                _done.Enqueue(call);
                continue;
            }

            _running++;
            _ = RunAsync(call);
        }
    }

    private void ReleaseKey(Call call)
    {
        if (options.Order != AsyncOrder.Key || !call.Record.HasKey) return;
        if (call.Next is { } next) _ready.Enqueue(next);
        else _lastOfKey.Remove(new Key(call.Record.Key));
    }

    private void TakeIn(Call call)
    {
        _pending--;
        var task = _task!;
        var here = task.Coordinates;
        task.Coordinates = call.At;
        try
        {
            if (call.IsSkipped) EmitSkipped(in call.Record);
            else if (call.Failure is { } failure) task.HandleProcessingFailure(this, call.Record.Timestamp, call.Record.HeadersOrNull, failure);
            else Emit(in call.Record, call.Result!);
        }
        finally
        {
            task.Coordinates = here;
        }
    }

    private async Task RunAsync(Call call)
    {
        try
        {
            call.Result = await AttemptAsync(call).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Judged on the task's thread, by the handler that judges all user code.
            call.Failure = failure;
        }

        _done.Enqueue(call);
        _calls!.Signal();
    }

    private async Task<TResult> AttemptAsync(Call call)
    {
        var delay = options.RetryDelay;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await WithTimeoutAsync(call).ConfigureAwait(false);
            }
            catch (Exception failure) when (attempt < options.MaxRetries && !_closing.IsCancellationRequested && options.IsRetriable(failure))
            {
                await Task.Delay(delay, _time, _closing.Token).ConfigureAwait(false);
                delay = delay * 2 < _maxRetryDelay ? delay * 2 : _maxRetryDelay;
            }
        }
    }

    private async Task<TResult> WithTimeoutAsync(Call call)
    {
        if (options.Timeout == Timeout.InfiniteTimeSpan) return await CallAsync(call.Record, _closing.Token).WaitAsync(_closing.Token).ConfigureAwait(false);
        using var patience = new CancellationTokenSource(options.Timeout, _time);
        await using var closing = _closing.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), patience).ConfigureAwait(false);
        try
        {
            // A call that does not heed its token is left behind.
            return await CallAsync(call.Record, patience.Token).WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (patience.IsCancellationRequested && !_closing.IsCancellationRequested)
        {
            throw new TimeoutException($"The call of '{NodeName}' took longer than {options.Timeout}.", failure);
        }
    }

    // A key may be of a type that says it may be null, which a dictionary does not take.
    private readonly record struct Key(K Value);

    private sealed class Call(in Record<K, V> record, RecordCoordinates at)
    {
        public readonly Record<K, V> Record = record;

        public RecordCoordinates At { get; } = at;

        public Call? Next { get; set; }

        public bool IsSkipped { get; set; }

        public bool IsDone { get; set; }

        public TResult? Result { get; set; }

        public Exception? Failure { get; set; }
    }
}
