namespace Streams.Core;

/// <summary>Divides the tasks among the members of the group.</summary>
/// <remarks>
/// <para>
/// Every member gets a share in proportion to its threads, to within one task, of the tasks with state and of all tasks. Within that, a task stays where it runs,
/// else goes where most of its state lies, else to the least loaded member. The same input gives the same answer, and dividing again what was divided moves nothing.
/// </para>
/// <para>
/// A task with state is only given to a member that has caught up with it, as long as there is one. Who is to have it in the end gets a warm-up copy meanwhile, and
/// the group looks again after <c>probing.rebalance.interval.ms</c>. A task is given to a new owner when its former one has let go of it: one rebalance later.
/// Source: Kafka's <c>HighAvailabilityTaskAssignor</c> and <c>StreamsPartitionAssignor</c> (KIP-429, KIP-441, KIP-708).
/// </para>
/// </remarks>
internal sealed class TaskAssignor
{
    private readonly GroupSituation _group;
    private readonly List<Candidate> _candidates;
    private readonly Dictionary<TaskId, Candidate> _owners = [];
    private readonly List<TaskId> _stateful;
    private readonly List<TaskId> _stateless;

    private TaskAssignor(GroupSituation group)
    {
        _group = group;
        var tasks = group.Tasks.ToHashSet();
        _stateful = [.. tasks.Where(group.EndPositions.ContainsKey).Order()];
        _stateless = [.. tasks.Where(task => !group.EndPositions.ContainsKey(task)).Order()];

        // A member without threads takes part, so that it can get some again, but there is nothing it could do. What it still owns it is about to commit and let go of.
        List<Candidate> all = [.. group.Members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => new Candidate(member.Key, member.Value))];
        _candidates = [.. all.Where(candidate => candidate.Threads > 0)];
        foreach (var candidate in all)
        {
            foreach (var task in candidate.Metadata.OwnedTasks)
            {
                if (!tasks.Contains(task)) continue;
                if (!_owners.TryGetValue(task, out var other) || other.Metadata.Generation < candidate.Metadata.Generation) _owners[task] = candidate;
            }
        }

        foreach (var (task, owner) in _owners)
        {
            if (group.EndPositions.ContainsKey(task)) owner.OwnedStateful.Add(task);
            else owner.OwnedStateless.Add(task);
        }
    }

    public static GroupDivision Assign(GroupSituation group)
    {
        var assignor = new TaskAssignor(group);
        var active = group.Members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var standby = group.Members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var withheld = new List<TaskId>();
        var needsProbe = assignor.Divide();
        foreach (var candidate in assignor._candidates)
        {
            foreach (var task in candidate.Active)
            {
                if (assignor.IsHeldByAnother(task, candidate))
                {
                    withheld.Add(task);

                    // What it has of the task's state stays, and goes on following, until the task itself comes.
                    if (candidate.Metadata.Positions.ContainsKey(task) && group.EndPositions.ContainsKey(task)) standby[candidate.Id].Add(task);
                    continue;
                }

                active[candidate.Id].Add(task);
            }

            standby[candidate.Id].AddRange(candidate.Standby);
        }

        foreach (var list in active.Values.Concat(standby.Values)) list.Sort();
        return new GroupDivision(active, standby, withheld, needsProbe);
    }

    private bool Divide()
    {
        if (_candidates.Count == 0) return false;
        SetQuotas();
        PlaceStateful();
        PlaceStateless();
        var needsProbe = KeepWhereCaughtUp();
        PlaceStandbys();
        return needsProbe;
    }

    private bool IsHeldByAnother(TaskId task, Candidate target)
    {
        if (!_owners.TryGetValue(task, out var owner)) return false;
        if (owner != target) return true;

        // Two of the same generation cannot both be right, and only letting go of it by all but one makes it safe.
        return _group.Members.Any(member => member.Key != target.Id && member.Value.Generation == target.Metadata.Generation && member.Value.OwnedTasks.Contains(task));
    }

    // Whole tasks in proportion to threads; what division leaves over goes to the largest remainders, so quotas add up to the number of tasks.
    // Of equal remainders those count first that hold one more already, so that dividing again moves nothing.
    private void SetQuotas()
    {
        var threads = _candidates.Sum(candidate => (long)candidate.Threads);
        var all = _stateful.Count + (long)_stateless.Count;
        foreach (var candidate in _candidates)
        {
            candidate.Quota = (int)(all * candidate.Threads / threads);
            candidate.StatefulQuota = (int)((long)_stateful.Count * candidate.Threads / threads);
        }

        foreach (var candidate in _candidates.OrderByDescending(candidate => all * candidate.Threads % threads)
                     .ThenByDescending(candidate => candidate.OwnedStateful.Count + candidate.OwnedStateless.Count > candidate.Quota)
                     .ThenByDescending(candidate => candidate.OwnedStateful.Count > candidate.StatefulQuota)
                     .Take((int)all - _candidates.Sum(candidate => candidate.Quota)).ToList())
        {
            candidate.Quota++;
        }

        // Whoever has room for one more in all comes first, so that the tasks with state fit into the whole.
        foreach (var candidate in _candidates.OrderByDescending(candidate => candidate.StatefulQuota < candidate.Quota)
                     .ThenByDescending(candidate => _stateful.Count * (long)candidate.Threads % threads)
                     .ThenByDescending(candidate => candidate.OwnedStateful.Count > candidate.StatefulQuota)
                     .Take(_stateful.Count - _candidates.Sum(candidate => candidate.StatefulQuota)).ToList())
        {
            candidate.StatefulQuota++;
        }
    }

    private void PlaceStateful()
    {
        var open = new SortedSet<TaskId>(_stateful);
        foreach (var candidate in _candidates)
        {
            candidate.Active.AddRange(candidate.OwnedStateful.Order().Take(candidate.StatefulQuota));
            if (candidate.OwnedStateful.Count > candidate.StatefulQuota) continue;
            open.ExceptWith(candidate.Active);
        }

        // Of what a member has too much, those go first for which a member with room has most of the state: that is where they move at the least cost,
        // and where a warm-up that was begun is finished.
        foreach (var candidate in _candidates.Where(candidate => candidate.OwnedStateful.Count > candidate.StatefulQuota))
        {
            candidate.Active.Clear();
            candidate.Active.AddRange(candidate.OwnedStateful
                .OrderByDescending(task => _candidates.Where(other => other != candidate && other.OwnedStateful.Count < other.StatefulQuota).Select(other => Distance(other, task)).DefaultIfEmpty(Distances.Farthest).Min())
                .ThenBy(task => task)
                .Take(candidate.StatefulQuota));
            open.ExceptWith(candidate.Active);
        }

        // State that lies somewhere is used, nearest first.
        foreach (var (task, candidate, _) in open
                     .SelectMany(task => _candidates.Where(candidate => candidate.Metadata.Positions.ContainsKey(task)).Select(candidate => (task, candidate, distance: Distance(candidate, task))))
                     .OrderBy(pair => pair.distance).ThenBy(pair => pair.task).ThenBy(pair => pair.candidate.Id, StringComparer.Ordinal).ToList())
        {
            if (candidate.Active.Count < candidate.StatefulQuota && open.Remove(task)) candidate.Active.Add(task);
        }

        // Partition by partition, so that the tasks of one sub-topology are spread.
        foreach (var task in open.OrderBy(task => task.Partition).ThenBy(task => task.Subtopology)) Lightest(candidate => candidate.Active.Count < candidate.StatefulQuota).Active.Add(task);
    }

    private void PlaceStateless()
    {
        var open = new SortedSet<TaskId>(_stateless);
        foreach (var candidate in _candidates)
        {
            var kept = candidate.OwnedStateless.Order().Take(Math.Max(0, candidate.Quota - candidate.Active.Count)).ToList();
            candidate.Active.AddRange(kept);
            open.ExceptWith(kept);
        }

        foreach (var task in open.OrderBy(task => task.Partition).ThenBy(task => task.Subtopology)) Lightest(candidate => candidate.Active.Count < candidate.Quota).Active.Add(task);
    }

    /// <summary>Gives tasks back to a member that is up to date where the one that is to have them is not, and lets that one warm up.</summary>
    /// <returns>Whether there was any.</returns>
    private bool KeepWhereCaughtUp()
    {
        var moves = new List<(TaskId Task, Candidate Target, Candidate Keeper)>();
        foreach (var target in _candidates)
        {
            foreach (var task in target.Active)
            {
                if (!_group.EndPositions.ContainsKey(task) || IsCaughtUp(target, task)) continue;
                var keeper = _owners.TryGetValue(task, out var owner) && owner.Threads > 0 && IsCaughtUp(owner, task)
                    ? owner
                    : _candidates.Where(candidate => IsCaughtUp(candidate, task)).OrderBy(candidate => Distance(candidate, task)).ThenBy(candidate => candidate.Load).FirstOrDefault();
                if (keeper is not null) moves.Add((task, target, keeper));
            }
        }

        var warmups = 0;
        foreach (var (task, target, keeper) in moves.OrderBy(move => Distance(move.Target, move.Task)).ThenBy(move => move.Task))
        {
            target.Active.Remove(task);
            keeper.Active.Add(task);
            target.Awaited.Add(task);
            if (warmups == _group.MaxWarmupReplicas) continue;
            warmups++;
            target.Standby.Add(task);
        }

        return moves.Count > 0;
    }

    private void PlaceStandbys()
    {
        var replicas = Math.Min(_group.StandbyReplicas, _candidates.Count - 1);
        if (replicas <= 0) return;
        var threads = _candidates.Sum(candidate => (long)candidate.Threads);
        var total = (long)replicas * _stateful.Count;
        foreach (var candidate in _candidates) candidate.StandbyQuota = (int)((total * candidate.Threads + threads - 1) / threads);

        foreach (var task in _stateful)
        {
            var holders = _candidates.Where(candidate => candidate.Active.Contains(task)).ToList();
            var taken = _candidates.Where(candidate => candidate.Standby.Contains(task)).ToHashSet();
            for (var replica = 0; replica < replicas; replica++)
            {
                var chosen = _candidates
                    .Where(candidate => !holders.Contains(candidate) && !taken.Contains(candidate))
                    .OrderBy(candidate => holders.Sum(holder => SharedTags(candidate, holder)))
                    .ThenBy(candidate => candidate.Awaited.Contains(task) ? 0 : 1)
                    .ThenBy(candidate => candidate.StandbyCount < candidate.StandbyQuota ? 0 : 1)
                    .ThenBy(candidate => !candidate.Metadata.Positions.ContainsKey(task) ? 2 : IsCaughtUp(candidate, task) ? 0 : 1)
                    .ThenBy(candidate => (double)(candidate.StandbyCount + 1) / candidate.Threads)
                    .ThenBy(candidate => (double)(candidate.Active.Count + 1) / candidate.Threads)
                    .FirstOrDefault();
                if (chosen is null) break;
                chosen.Standby.Add(task);
                chosen.StandbyCount++;
                holders.Add(chosen);
            }
        }

        LevelStandbys();
    }

    // A member that runs many of the active tasks gets few standbys at first, because those of its own tasks are not for it.
    private void LevelStandbys()
    {
        for (var moved = true; moved;)
        {
            moved = false;
            foreach (var most in _candidates.OrderByDescending(candidate => (double)candidate.StandbyCount / candidate.Threads).ToList())
            {
                foreach (var least in _candidates.OrderBy(candidate => (double)(candidate.StandbyCount + 1) / candidate.Threads).ToList())
                {
                    // Moving one must bring the two closer together, which is also why this ends.
                    if (least == most || (double)(least.StandbyCount + 1) / least.Threads >= (double)most.StandbyCount / most.Threads) continue;
                    var task = most.Standby.Where(task => CanLevel(task, most, least)).OrderBy(task => Distance(least, task)).ThenBy(task => task).Cast<TaskId?>().FirstOrDefault();
                    if (task is not { } found) continue;
                    most.Standby.Remove(found);
                    most.StandbyCount--;
                    least.Standby.Add(found);
                    least.StandbyCount++;
                    moved = true;
                    break;
                }

                if (moved) break;
            }
        }
    }

    private bool CanLevel(TaskId task, Candidate from, Candidate to)
    {
        if (from.Awaited.Contains(task) || to.Active.Contains(task) || to.Standby.Contains(task)) return false;
        var others = _candidates.Where(candidate => candidate != from && (candidate.Active.Contains(task) || candidate.Standby.Contains(task))).ToList();
        return others.Sum(other => SharedTags(to, other)) <= others.Sum(other => SharedTags(from, other));
    }

    private int SharedTags(Candidate one, Candidate other) => _group.RackAwareTags.Count(tag =>
        one.Metadata.Tags.TryGetValue(tag, out var value) && other.Metadata.Tags.TryGetValue(tag, out var otherValue) && value == otherValue);

    private bool IsCaughtUp(Candidate candidate, TaskId task) => Lag(candidate, task) <= _group.AcceptableRecoveryLag;

    private long Lag(Candidate candidate, TaskId task)
    {
        var end = _group.EndPositions[task];
        if (!candidate.Metadata.Positions.TryGetValue(task, out var position) || position == MemberMetadata.UnknownPosition) return end;
        return position == MemberMetadata.CaughtUp ? 0 : Math.Max(0, end - position);
    }

    // State that lies somewhere without anybody knowing how far is still better than none.
    private (long, int) Distance(Candidate candidate, TaskId task) => (Lag(candidate, task), candidate.Metadata.Positions.ContainsKey(task) ? 0 : 1);

    private Candidate Lightest(Func<Candidate, bool> hasRoom) => _candidates
        .OrderBy(candidate => hasRoom(candidate) ? 0 : 1)
        .ThenBy(candidate => (double)(candidate.Active.Count + 1) / candidate.Threads)
        .First();

    private static class Distances
    {
        public static readonly (long, int) Farthest = (long.MaxValue, int.MaxValue);
    }

    /// <summary>A member that can be given tasks, and what it has been given so far.</summary>
    private sealed class Candidate(string id, MemberMetadata metadata)
    {
        public string Id { get; } = id;

        public MemberMetadata Metadata { get; } = metadata;

        public int Threads => Metadata.Threads;

        public List<TaskId> OwnedStateful { get; } = [];

        public List<TaskId> OwnedStateless { get; } = [];

        public List<TaskId> Active { get; } = [];

        public List<TaskId> Standby { get; } = [];

        /// <summary>Tasks that are to come here once their state has.</summary>
        public HashSet<TaskId> Awaited { get; } = [];

        public int Quota { get; set; }

        public int StatefulQuota { get; set; }

        public int StandbyQuota { get; set; }

        /// <summary>Standbys, without warm-ups.</summary>
        public int StandbyCount { get; set; }

        public double Load => (double)Active.Count / Threads;
    }
}
