using Streams.Core;

namespace Simulation;

/// <summary>The threads of a process: fibers of the world.</summary>
internal sealed class SimulatedThreads(World world, Incarnation owner) : RuntimeThreads
{
    public override RuntimeThread Create(string name, Action body) => new SimulatedThread(world, owner, owner.NewFiber(name, body));

    public override Task Run(Func<Task> work)
    {
        if (owner.IsDead) return Task.CompletedTask;
        var done = new TaskCompletionSource();
        var fiber = owner.NewFiber("run", () => work().ContinueWith(
            task =>
            {
                if (task.Exception is { } failure) done.TrySetException(failure.InnerExceptions);
                else done.TrySetResult();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default));
        world.Soon(owner, fiber.Resume);
        return done.Task;
    }

    public override RuntimeSignal CreateSignal() => new SimulatedSignal(world, owner);

    public override void Sleep(TimeSpan time, CancellationToken cancellationToken) => _ = world.Delay(owner, time, cancellationToken);

    public override Task Delay(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken) => world.Delay(owner, time, cancellationToken);

    public override void Wait(Task task)
    {
        if (!task.IsCompleted)
        {
            var waiter = new Waiter(world, owner, Fiber.Current ?? throw new SimulationException("A wait outside of the threads."));
            _ = task.ContinueWith(_ => waiter.Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            waiter.Wait(Timeout.InfiniteTimeSpan, CancellationToken.None);
        }

        task.GetAwaiter().GetResult();
    }

    public override TaskCompletionSource CreateCompletion() => new();

    // Not now but in a moment: then what waits for it goes on inside an event of its own, as it would on the thread pool.
    public override void Complete(TaskCompletionSource completion, Exception? failure = null) => world.Soon(owner, () =>
    {
        if (failure is null) completion.TrySetResult();
        else completion.TrySetException(failure);
    });

    private sealed class SimulatedThread(World world, Incarnation owner, Fiber fiber) : RuntimeThread
    {
        private bool _started;

        public override bool IsAlive => _started && !fiber.HasEnded;

        public override bool IsCurrent => Fiber.Current == fiber;

        public override void Start()
        {
            _started = true;
            world.Soon(owner, fiber.Resume);
        }

        public override bool Join(TimeSpan timeout)
        {
            if (fiber.HasEnded || !_started) return true;
            var waiter = new Waiter(world, owner, Fiber.Current ?? throw new SimulationException("A join outside of the threads."));
            fiber.Ended += waiter.Wake;
            waiter.Wait(timeout, CancellationToken.None);
            return fiber.HasEnded;
        }
    }

    private sealed class SimulatedSignal(World world, Incarnation owner) : RuntimeSignal
    {
        private bool _isSet;
        private Waiter? _waiter;

        public override void Set()
        {
            _isSet = true;
            _waiter?.Wake();
        }

        public override void Wait(TimeSpan timeout)
        {
            if (!_isSet)
            {
                _waiter = new Waiter(world, owner, Fiber.Current ?? throw new SimulationException("A wait outside of the threads."));
                _waiter.Wait(timeout, CancellationToken.None);
                _waiter = null;
            }

            _isSet = false;
        }

        public override void Dispose()
        {
        }
    }
}
