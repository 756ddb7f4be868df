namespace Streams.Core;

/// <summary>
/// Where the runtime's threads come from and how they wait for each other. Everything of the runtime that blocks, other than a call of a port, does so here, so that a
/// simulation can let its threads take turns and decide who goes next (docs/adr/0054).
/// </summary>
internal abstract class RuntimeThreads
{
    /// <summary>Threads of the operating system.</summary>
    public static RuntimeThreads OfSystem { get; } = new SystemThreads();

    /// <summary>Makes a thread, which is to be started.</summary>
    public abstract RuntimeThread Create(string name, Action body);

    /// <summary>Runs work that may block beside the caller.</summary>
    public abstract Task Run(Func<Task> work);

    /// <summary>Makes a signal that lets one waiter go per time that it is set.</summary>
    public abstract RuntimeSignal CreateSignal();

    /// <summary>Blocks the calling thread for so long, or until cancelled, which is no error.</summary>
    public abstract void Sleep(TimeSpan time, CancellationToken cancellationToken);

    /// <summary>Waits so long without a thread.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract Task Delay(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken);

    /// <summary>Blocks the calling thread until a task of <see cref="CreateCompletion"/> has ended, and throws what it ended with.</summary>
    public abstract void Wait(Task task);

    /// <summary>Makes a task that one thread ends, with <see cref="Complete"/>, for another: what waits for it never runs on the thread that ends it.</summary>
    public abstract TaskCompletionSource CreateCompletion();

    /// <summary>Ends a task of <see cref="CreateCompletion"/>. Again: nothing.</summary>
    public abstract void Complete(TaskCompletionSource completion, Exception? failure = null);
}

/// <summary>A thread.</summary>
internal abstract class RuntimeThread
{
    /// <summary>Whether it has been started and has not ended.</summary>
    public abstract bool IsAlive { get; }

    /// <summary>Whether the caller is this very thread.</summary>
    public abstract bool IsCurrent { get; }

    public abstract void Start();

    /// <summary>Waits for the end; false when it takes longer.</summary>
    public abstract bool Join(TimeSpan timeout);
}

/// <summary>Lets one waiter go per time that it is set.</summary>
internal abstract class RuntimeSignal : IDisposable
{
    /// <summary>Lets a waiter go. When disposed: nothing, because who sets it need not know that the one it is for has ended.</summary>
    public abstract void Set();

    /// <summary>Waits until it is set, or so long.</summary>
    public abstract void Wait(TimeSpan timeout);

    public abstract void Dispose();
}

/// <summary>Threads of the operating system.</summary>
internal sealed class SystemThreads : RuntimeThreads
{
    public override RuntimeThread Create(string name, Action body) => new SystemThread(name, body);

    public override Task Run(Func<Task> work) => Task.Run(work, CancellationToken.None);

    public override RuntimeSignal CreateSignal() => new SystemSignal();

    public override void Sleep(TimeSpan time, CancellationToken cancellationToken) => cancellationToken.WaitHandle.WaitOne(time);

    public override Task Delay(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken) => Task.Delay(time, clock, cancellationToken);

    public override void Wait(Task task) => task.GetAwaiter().GetResult();

    public override TaskCompletionSource CreateCompletion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override void Complete(TaskCompletionSource completion, Exception? failure = null)
    {
        if (failure is null) completion.TrySetResult();
        else completion.TrySetException(failure);
    }

    private sealed class SystemThread(string name, Action body) : RuntimeThread
    {
        private readonly Thread _thread = new(body.Invoke) { Name = name, IsBackground = true };

        public override bool IsAlive => _thread.IsAlive;

        public override bool IsCurrent => Thread.CurrentThread == _thread;

        public override void Start() => _thread.Start();

        public override bool Join(TimeSpan timeout) => _thread.Join(timeout);
    }

    private sealed class SystemSignal : RuntimeSignal
    {
        private readonly AutoResetEvent _event = new(false);
        private readonly Lock _gate = new();
        private bool _isDisposed;

        public override void Set()
        {
            lock (_gate)
            {
                if (!_isDisposed) _event.Set();
            }
        }

        public override void Wait(TimeSpan timeout) => _event.WaitOne(timeout);

        public override void Dispose()
        {
            lock (_gate)
            {
                _isDisposed = true;
                _event.Dispose();
            }
        }
    }
}
