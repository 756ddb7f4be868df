namespace Streams.Core;

/// <summary>Divides the tasks among the members of the group.</summary>
/// <remarks>
/// <para>
/// Every member gets a share in proportion to its threads, to within one task, of the tasks with state and of all tasks. Within that, a task stays where it runs,
/// else goes where most of its state lies, else to the least loaded member. The same input gives the same answer, and dividing again what was divided moves nothing.
/// With <see cref="GroupSituation.Traffic"/> members then exchange tasks for less traffic between racks, and with a strategy that says so the share is of every sub-topology.
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
        _candidates = [.. group.Members.Where(member => member.Value.Threads > 0).OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => new Candidate(member.Key, member.Value))];
        var claims = new TaskClaims(group);
        var byId = _candidates.ToDictionary(candidate => candidate.Id);
        foreach (var task in tasks)
        {
            if (claims.OwnerOf(task) is not { } member || !byId.TryGetValue(member, out var owner)) continue;
            _owners[task] = owner;
            owner.Owned.Add(task);
            if (group.EndPositions.ContainsKey(task)) owner.OwnedStatefulCount++;
        }
    }

    /// <summary>Divides the tasks and says what can be given out now.</summary>
    public static GroupDivision Assign(GroupSituation group) => GroupDivision.Of(group, Plan(group));

    /// <summary>Divides the tasks.</summary>
    public static AssignmentPlan Plan(GroupSituation group)
    {
        var assignor = new TaskAssignor(group);
        var active = group.Members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var standby = group.Members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var needsProbe = assignor.Divide();
        foreach (var candidate in assignor._candidates)
        {
            active[candidate.Id].AddRange(candidate.Active);
            standby[candidate.Id].AddRange(candidate.Standby);
        }

        return new AssignmentPlan(active, standby, needsProbe ? group.ProbingRebalanceInterval : null);
    }

    private bool Divide()
    {
        if (_candidates.Count == 0) return false;
        if (_group.Traffic is { Strategy: RackAwareAssignmentStrategy.BalanceSubtopology })
        {
            DivideBySubtopology();
        }
        else
        {
            SetQuotas();
            foreach (var candidate in _candidates) candidate.Room = candidate.StatefulQuota;
            Place(_stateful);
            foreach (var candidate in _candidates) candidate.Room = Math.Max(0, candidate.Quota - candidate.Active.Count);
            Place(_stateless);
        }

        var needsProbe = KeepWhereCaughtUp();
        PlaceStandbys();
        return needsProbe;
    }

    // Sub-topologies with state first, so that these tasks are even too. What division leaves over goes to whoever has had least of it so far, which keeps the whole even; of
    // several alike to one that holds one more already, so that dividing again moves nothing.
    private void DivideBySubtopology()
    {
        var threads = _candidates.Sum(candidate => (long)candidate.Threads);
        foreach (var tasks in _stateful.GroupBy(task => task.Subtopology).Concat(_stateless.GroupBy(task => task.Subtopology)).Select(group => group.ToList()))
        {
            foreach (var candidate in _candidates) candidate.Room = (int)((long)tasks.Count * candidate.Threads / threads);
            foreach (var candidate in _candidates
                         .OrderBy(candidate => (candidate.Active.Count + candidate.Room + 1.0) / candidate.Threads)
                         .ThenByDescending(candidate => tasks.Count(candidate.Owned.Contains) > candidate.Room)
                         .Take(tasks.Count - _candidates.Sum(candidate => candidate.Room))
                         .ToList())
            {
                candidate.Room++;
            }

            Place(tasks);
        }
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
                     .ThenByDescending(candidate => candidate.Owned.Count > candidate.Quota)
                     .ThenByDescending(candidate => candidate.OwnedStatefulCount > candidate.StatefulQuota)
                     .Take((int)all - _candidates.Sum(candidate => candidate.Quota)).ToList())
        {
            candidate.Quota++;
        }

        // Whoever has room for one more in all comes first, so that the tasks with state fit into the whole.
        foreach (var candidate in _candidates.OrderByDescending(candidate => candidate.StatefulQuota < candidate.Quota)
                     .ThenByDescending(candidate => _stateful.Count * (long)candidate.Threads % threads)
                     .ThenByDescending(candidate => candidate.OwnedStatefulCount > candidate.StatefulQuota)
                     .Take(_stateful.Count - _candidates.Sum(candidate => candidate.StatefulQuota)).ToList())
        {
            candidate.StatefulQuota++;
        }
    }

    /// <summary>Places tasks, all with state or all without: each where it runs, else where most of its state lies, else wherever there is least; nobody gets more than there is room for.</summary>
    private void Place(List<TaskId> tasks)
    {
        if (tasks.Count == 0) return;
        var isStateful = _group.EndPositions.ContainsKey(tasks[0]);
        var open = new SortedSet<TaskId>(tasks);
        foreach (var candidate in _candidates) candidate.Placed.Clear();
        var owned = _candidates.ToDictionary(candidate => candidate, candidate => tasks.Where(candidate.Owned.Contains).ToList());
        foreach (var candidate in _candidates.Where(candidate => !isStateful || owned[candidate].Count <= candidate.Room))
        {
            candidate.Placed.AddRange(owned[candidate].Take(candidate.Room));
            open.ExceptWith(candidate.Placed);
        }

        if (isStateful)
        {
            // Of what a member has too much, those go first for which a member with room has most of the state: that is where they move at the least cost,
            // and where a warm-up that was begun is finished.
            foreach (var candidate in _candidates.Where(candidate => owned[candidate].Count > candidate.Room))
            {
                candidate.Placed.AddRange(owned[candidate]
                    .OrderByDescending(task => _candidates.Where(other => other != candidate && owned[other].Count < other.Room).Select(other => Distance(other, task)).DefaultIfEmpty(Distances.Farthest).Min())
                    .ThenBy(task => task)
                    .Take(candidate.Room));
                open.ExceptWith(candidate.Placed);
            }

            // State that lies somewhere is used, nearest first.
            foreach (var (task, candidate, _) in open
                         .SelectMany(task => _candidates.Where(candidate => candidate.Metadata.Positions.ContainsKey(task)).Select(candidate => (task, candidate, distance: Distance(candidate, task))))
                         .OrderBy(pair => pair.distance).ThenBy(pair => pair.task).ThenBy(pair => pair.candidate.Id, StringComparer.Ordinal).ToList())
            {
                if (candidate.Placed.Count < candidate.Room && open.Remove(task)) candidate.Placed.Add(task);
            }
        }

        // Partition by partition, so that the tasks of one sub-topology are spread.
        foreach (var task in open.OrderBy(task => task.Partition).ThenBy(task => task.Subtopology)) Lightest().Placed.Add(task);
        if (_group.Traffic is { } traffic) Exchange(tasks, isStateful, traffic);
        foreach (var candidate in _candidates) candidate.Active.AddRange(candidate.Placed);
    }

    // Tasks without state move for nothing.
    private void Exchange(List<TaskId> tasks, bool isStateful, RackTraffic traffic)
    {
        var memberOf = tasks.ConvertAll(task => _candidates.FindIndex(candidate => candidate.Placed.Contains(task))).ToArray();
        TaskExchange.Reduce(tasks, memberOf, _candidates.Count, (task, member) =>
        {
            var cost = (long)traffic.TrafficCost * traffic.Crossing(task, _candidates[member].Metadata, changelogsOnly: false);
            return isStateful && _owners.TryGetValue(task, out var owner) && owner != _candidates[member] ? cost + traffic.NonOverlapCost : cost;
        });
        foreach (var candidate in _candidates) candidate.Placed.Clear();
        for (var task = 0; task < tasks.Count; task++) _candidates[memberOf[task]].Placed.Add(tasks[task]);
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
                var keeper = _owners.TryGetValue(task, out var owner) && IsCaughtUp(owner, task)
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
                    .ThenBy(candidate => _group.Traffic?.Crossing(task, candidate.Metadata, changelogsOnly: true) ?? 0)
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

    private Candidate Lightest() => _candidates
        .OrderBy(candidate => candidate.Placed.Count < candidate.Room ? 0 : 1)
        .ThenBy(candidate => (double)(candidate.Active.Count + candidate.Placed.Count + 1) / candidate.Threads)
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

        public HashSet<TaskId> Owned { get; } = [];

        public int OwnedStatefulCount { get; set; }

        public List<TaskId> Active { get; } = [];

        /// <summary>Of the tasks that are being placed, those that come here.</summary>
        public List<TaskId> Placed { get; } = [];

        /// <summary>How many of them may.</summary>
        public int Room { get; set; }

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
