namespace Simulation;

/// <summary>
/// A thread of the simulated program. It is a real thread, so that the code under test may block as it does in production, but only one of them runs at a time: the
/// world resumes it, and it runs until it waits for something, which gives the turn back.
/// </summary>
internal sealed class Fiber : IDisposable
{
    /// <summary>Longest real time between two waits; past it the code under test waits for something that the simulation does not know.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [ThreadStatic]
    private static Fiber? _current;

    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _back = new(0);
    private readonly Action _body;
    private Thread? _thread;

    public Fiber(string name, Action body)
    {
        Name = name;
        _body = body;
    }

    /// <summary>The fiber whose turn it is; <c>null</c> while the world itself works.</summary>
    public static Fiber? Current => _current;

    public string Name { get; }

    public bool IsStarted => _thread is not null;

    public bool HasEnded { get; private set; }

    /// <summary>What it died of; the runtime catches everything, so anything here is a fault of the simulation or of the runtime.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether every wait is to end with an exception: the process is gone, and only the real thread is to be got rid of.</summary>
    public bool IsKilled { get; set; }

    /// <summary>Whether it is noted where fibers wait: for looking into a schedule that hangs.</summary>
    public static bool NotesWaits { get; set; }

    /// <summary>Where it waited last, when that is noted.</summary>
    public string WaitsAt { get; private set; } = "";

    /// <summary>Called by the world once it has ended.</summary>
    public Action? Ended { get; set; }

    /// <summary>Gives it the turn and returns when it gives it back. By the world only.</summary>
    public void Resume()
    {
        if (HasEnded) return;
        if (_current is not null) throw new InvalidOperationException($"{_current.Name} cannot resume {Name}: turns are the world's to give.");
        if (_thread is null)
        {
            _thread = new Thread(Run, 512 << 10) { Name = Name, IsBackground = true };
            _thread.Start();
        }

        _go.Release();
        if (!_back.Wait(_patience)) throw new SimulationException($"{Name} has not waited for anything that the simulation knows of for {_patience.TotalSeconds} s.");
        if (!HasEnded) return;
        _thread.Join();
        Ended?.Invoke();
    }

    /// <summary>Gives the turn back, until the world resumes it.</summary>
    /// <exception cref="FiberKilledException">The process has been killed meanwhile.</exception>
    public void Park()
    {
        if (IsKilled) throw new FiberKilledException();
        if (NotesWaits) WaitsAt = Environment.StackTrace;
        _back.Release();
        _go.Wait();
        if (IsKilled) throw new FiberKilledException();
    }

    public void Dispose()
    {
        _go.Dispose();
        _back.Dispose();
    }

    private void Run()
    {
        _current = this;
        _go.Wait();
        try
        {
            if (!IsKilled) _body();
        }
        catch (FiberKilledException)
        {
            // As it should be.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Failure = failure;
        }
        finally
        {
            HasEnded = true;
            _back.Release();
        }
    }
}

/// <summary>Unwinds the real thread of a process that was killed.</summary>
internal sealed class FiberKilledException : Exception;

/// <summary>The simulation cannot go on.</summary>
internal sealed class SimulationException(string message) : Exception(message);
