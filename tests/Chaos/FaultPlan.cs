namespace Chaos;

/// <summary>Decides by a seeded source what happens to whom next, and undoes it when its time has come.</summary>
internal sealed class FaultPlan(Scene scene, Random random, Action<string> say, TimeProvider time)
{
    private readonly List<(long Due, Action Undo)> _repairs = [];
    private readonly HashSet<int> _hurt = [];
    private readonly SortedDictionary<string, int> _done = [];
    private bool _brokerIsHurt;
    private long _next = time.GetTimestamp() + (4 * time.TimestampFrequency);

    public string Summary => _done.Count == 0 ? "no faults" : string.Join(", ", _done.Select(entry => $"{entry.Value} × {entry.Key}"));

    public void Step()
    {
        var now = time.GetTimestamp();
        foreach (var repair in _repairs.Where(repair => repair.Due <= now).ToList())
        {
            _repairs.Remove(repair);
            repair.Undo();
        }

        if (now < _next) return;
        _next = After(random.Next(500, 3000));
        var victim = random.Next(scene.Count);
        var later = random.Next(0, 1500);
        switch (random.Next(10))
        {
            case < 4 when _hurt.Add(victim):
                Tell("kill -9 of an instance", victim);
                scene.KillInstance(victim);
                Repair(later, () => scene.StartInstance(victim), victim);
                break;
            case 4 or 5 when _hurt.Add(victim):
                Tell("pause past the session time-out", victim);
                scene.PauseInstance(victim);
                Repair((scene.InstanceSessionMs * 3 / 2) + later, () => scene.ResumeInstance(victim), victim);
                break;
            case 6 when _hurt.Add(victim):
                Tell("clean restart of an instance", victim);
                scene.AskToEnd(victim);
                _repairs.Add((After(later), () => StartWhenEnded(victim)));
                break;
            case 7 or 8 when !_brokerIsHurt && scene.HasBroker:
                Tell("kill -9 of the broker", null);
                scene.KillBroker();
                HurtBroker(later, scene.StartBroker);
                break;
            case 9 when !_brokerIsHurt && scene.HasBroker:
                Tell("pause of the broker", null);
                scene.PauseBroker();
                HurtBroker(500 + later, scene.ResumeBroker);
                break;
        }
    }

    /// <summary>Undoes everything at once.</summary>
    public async Task RepairAsync()
    {
        while (_repairs.Count > 0)
        {
            var due = _repairs.OrderBy(repair => repair.Due).ToList();
            _repairs.Clear();
            foreach (var (_, undo) in due) undo();

            // What is left are instances that are still ending.
            if (_repairs.Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(50), time).ConfigureAwait(false);
        }
    }

    private void Repair(int afterMs, Action undo, int victim) => _repairs.Add((After(afterMs), () =>
    {
        undo();
        _hurt.Remove(victim);
    }));

    // Not waited for: its last commit may need a broker whose repair is this plan's too.
    private void StartWhenEnded(int victim)
    {
        if (!scene.HasEndedAsAsked(victim))
        {
            _repairs.Add((After(100), () => StartWhenEnded(victim)));
            return;
        }

        scene.StartInstance(victim);
        _hurt.Remove(victim);
    }

    private void HurtBroker(int forMs, Action undo)
    {
        _brokerIsHurt = true;
        _repairs.Add((After(forMs), () =>
        {
            undo();
            _brokerIsHurt = false;
        }));
    }

    private long After(int milliseconds) => time.GetTimestamp() + (milliseconds * time.TimestampFrequency / 1000);

    private void Tell(string what, int? victim)
    {
        _done[what] = _done.GetValueOrDefault(what) + 1;
        say(victim is null ? what : $"{what} ({victim})");
    }
}
