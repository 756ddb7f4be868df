using Streams.Core;

namespace Simulation;

/// <summary>One life of one process of the application: its threads, its clock, its connections. What dies with it is here; what stays is the <see cref="Machine"/>'s.</summary>
internal sealed class Incarnation(World world, Machine machine, int number)
{
    private readonly List<Fiber> _fibers = [];

    public string Name { get; } = $"m{machine.Index}.{number}";

    public World World => world;

    public Machine Machine => machine;

    /// <summary>Killed: nothing of it happens any more.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Nothing of it happens before (SIGSTOP and SIGCONT).</summary>
    public TimeSpan PausedUntil { get; set; }

    public KafkaStreams? App { get; set; }

    public SimulatedTime Time => field ??= new SimulatedTime(world, this);

    /// <summary>Calls of the broker until it kills itself in one; negative for never.</summary>
    public int CallsToLive { get; set; } = -1;

    /// <summary>Called when it is killed.</summary>
    public Action? Killed { get; set; }

    public Fiber NewFiber(string name, Action body)
    {
        var fiber = new Fiber($"{Name}:{name}", body);
        _fibers.Add(fiber);
        return fiber;
    }

    public IEnumerable<Fiber> Fibers => _fibers;

    /// <summary>kill -9, also in the middle of a call, whose fiber then never goes on.</summary>
    public void Kill()
    {
        if (IsDead) return;
        IsDead = true;
        world.Note(this, "killed");
        Killed?.Invoke();
    }

    /// <summary>Gets rid of the real threads of a process that is dead. By the world, at the end.</summary>
    public void Unwind()
    {
        for (var round = 0; round < 1000; round++)
        {
            var open = _fibers.Where(fiber => fiber.IsStarted && !fiber.HasEnded).ToList();
            if (open.Count == 0)
            {
                foreach (var fiber in _fibers) fiber.Dispose();
                return;
            }

            foreach (var fiber in open)
            {
                fiber.IsKilled = true;
                fiber.Resume();
            }
        }

        throw new SimulationException($"Threads of {Name} do not end: {string.Join(", ", _fibers.Where(fiber => fiber.IsStarted && !fiber.HasEnded).Select(fiber => fiber.Name))}");
    }
}

/// <summary>Where a process runs: what outlives it.</summary>
internal sealed class Machine(int index, string folder)
{
    public int Index { get; } = index;

    /// <summary>Folder of the machine's state directories, one per life.</summary>
    public string Folder { get; } = folder;

    public Guid ProcessId { get; init; }

    public int Threads { get; init; } = 1;

    public SimulatedDisk Disk { get; } = new();

    public Incarnation? Current { get; set; }

    public int Lives { get; set; }

    /// <summary>Whether it is to run: false while it is scaled in.</summary>
    public bool IsWanted { get; set; } = true;
}
