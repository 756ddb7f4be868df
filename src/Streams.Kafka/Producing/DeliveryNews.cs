namespace Streams.Kafka.Producing;

/// <summary>What the producer's thread has to be told by those that send for it, and how it waits for them.</summary>
/// <param name="gate">The sender's, which guards this too; methods take it where it is not said that the caller has it.</param>
internal sealed class DeliveryNews(Lock gate) : IDisposable
{
    private readonly Queue<DeliveryFailure> _failures = new();
    private readonly ManualResetEventSlim _changed = new();
    private Exception? _end;
    private bool _isAwaited;
    private volatile bool _hasTrouble;

    /// <summary>Whether a call has to look at <see cref="TakeFailure"/> and <see cref="End"/> before it does anything. Cheap.</summary>
    public bool HasTrouble => _hasTrouble;

    /// <summary>Why nothing more is sent, until the transaction is given up; <c>null</c> while all is well.</summary>
    public Exception? End
    {
        get
        {
            lock (gate) return _end;
        }
    }

    /// <summary>The oldest batch that was given up and not been told about; <c>null</c> for none.</summary>
    public DeliveryFailure? TakeFailure()
    {
        lock (gate)
        {
            var failure = _failures.TryDequeue(out var first) ? first : null;
            _hasTrouble = _failures.Count > 0 || _end is not null;
            return failure;
        }
    }

    /// <summary>A batch was given up; those that come are sent all the same. Bounded by the buffer that the batches were in. With the gate.</summary>
    public void Report(DeliveryFailure failure)
    {
        _failures.Enqueue(failure);
        _hasTrouble = true;
        Changed();
    }

    /// <summary>Nothing more is sent. With the gate.</summary>
    public void Stop(Exception end)
    {
        _end ??= end;
        _hasTrouble = true;
        Changed();
    }

    /// <summary>All is well again. With the gate.</summary>
    public void Forget()
    {
        _end = null;
        _failures.Clear();
        _hasTrouble = false;
    }

    /// <summary>Something has been acknowledged, or is not on its way any more. With the gate.</summary>
    public void Changed()
    {
        if (!_isAwaited) return;
        _isAwaited = false;
        _changed.Set();
    }

    /// <summary>Blocks until something has changed, unless the condition holds or there is trouble; at most for so long.</summary>
    /// <param name="holds">The condition, asked with the gate.</param>
    /// <param name="evenInTrouble">Whether trouble is no reason to return.</param>
    /// <param name="atMost">Real time; callers look at the clock themselves.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Await(Func<bool> holds, bool evenInTrouble, TimeSpan atMost, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (holds() || (_hasTrouble && !evenInTrouble)) return;
            _changed.Reset();
            _isAwaited = true;
        }

        _changed.Wait(atMost, cancellationToken);
    }

    /// <summary>On the thread that would wait: nobody does any more, and so nobody is woken.</summary>
    public void Dispose()
    {
        lock (gate) _isAwaited = false;
        _changed.Dispose();
    }
}
