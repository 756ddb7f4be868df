using Broker.Lite.Coordination;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.ModelCheck;

/// <summary>
/// Random histories of a classic group: members that come, go, fall silent, return as a static instance while their former self is still
/// about, lose answers, repeat requests; restarts. What each request must be answered follows from who is in the group and how far it is; a
/// generation has one leader, one protocol and one owner for each partition; nobody outside of it commits; offsets are the last ones accepted;
/// and when it gets quiet the group is stable with everybody who is left.
/// </summary>
public sealed class ClassicGroupModelTests
{
    [Fact]
    public Task Group_keeps_its_promises_in_memory() => Seeds.ForEachAsync(500, async seed =>
    {
        await using var history = new History(seed, null, initialDelayMs: seed % 3 == 0 ? 3000 : 0);
        await history.RunAsync(100);
    });

    [Fact]
    public Task Group_keeps_its_promises_across_restarts() => Seeds.ForEachAsync(40, async seed =>
    {
        using var folder = new TestFolder();
        await using var history = new History(seed, folder.Path, initialDelayMs: 0);
        await history.RunAsync(100);
    });

    /// <summary>A client, with what it believes: its id and generation, what it was given, and the request that it waits for.</summary>
    private sealed class Client(int number, string? instanceId, string[] protocols)
    {
        public int Number => number;

        public string? InstanceId => instanceId;

        public string[] Protocols => protocols;

        public string Id { get; set; } = "";

        public int Generation { get; set; } = -1;

        public bool IsLeader { get; set; }

        public List<string> FollowersIds { get; set; } = [];

        /// <summary>Whether it has its part of the current generation.</summary>
        public bool HasSynced { get; set; }

        public int[] Partitions { get; set; } = [];

        /// <summary>Another client has its instance id: it will learn so from the broker.</summary>
        public bool IsReplaced { get; set; }

        public (Task<JoinGroupResponse> Task, GroupMember Member)? Joining { get; set; }

        public (Task<SyncGroupResponse> Task, GroupMember Member)? Syncing { get; set; }

        public bool IsWaiting => Joining is not null || Syncing is not null;

        public void Forget()
        {
            (Id, Generation, HasSynced, Partitions) = ("", -1, false, []);
        }

        public override string ToString() => $"{number}{(instanceId is null ? "" : "/" + instanceId)}";
    }

    private sealed class History(int seed, string? folder, int initialDelayMs) : IAsyncDisposable
    {
        private const string GroupId = "g";
        private const string Topic = "t";
        private const int Partitions = 5;
        private const int SessionMs = 10_000;
        private const int RebalanceMs = 20_000;

        private readonly Random _random = new(seed);
        private readonly ManualClock _clock = new();
        private readonly List<Client> _clients = [];
        private readonly List<string> _steps = [];
        private readonly Dictionary<int, (string Leader, string Protocol)> _generations = [];
        private readonly Dictionary<(int Generation, string Member), byte[]> _assignments = [];
        private readonly Dictionary<int, long> _offsets = [];
        private TestBroker? _broker;
        private int _highestGeneration = -1;
        private int _completedGeneration;
        private int _numbers;
        private long _nextOffset;

        private TestBroker Broker => _broker!;

        private Group? Group
        {
            get
            {
                // What is due happens before the next request, which is what is going to be predicted.
                Broker.Server.State.Loop.Post(() => { });
                return Broker.Server.State.Groups.Find(GroupId);
            }
        }

        public async Task RunAsync(int steps)
        {
            await StartAsync();
            await Broker.CreateTopicAsync(Topic, Partitions);
            try
            {
                for (var i = 0; i < steps; i++)
                {
                    await StepAsync();
                    await SettleAsync();
                    await CheckAsync();
                }

                await QuietAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message}\nAfter:\n{string.Join('\n', _steps)}", e);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (_broker is not null)
                await _broker.DisposeAsync();
        }

        private async Task StartAsync() => _broker = await TestBroker.StartAsync(
            new BrokerOptions { DataDirectory = folder, Settings = new Dictionary<string, string> { ["group.initial.rebalance.delay.ms"] = $"{initialDelayMs}" } }, _clock);

        private async Task StepAsync()
        {
            var client = _clients.Count == 0 ? null : _clients[_random.Next(_clients.Count)];
            switch (_random.Next(folder is null ? 100 : 104))
            {
                case < 8 when _clients.Count < 6:
                    AddClient(_random.Next(3) == 0 ? $"i{_random.Next(3)}" : null);
                    break;
                case < 12 when client is not null:
                    Note($"{client} is gone without a word");
                    _clients.Remove(client);
                    break;
                case < 16 when client is { IsWaiting: false, Id.Length: > 0 }:
                    await LeaveAsync(client);
                    break;
                case < 24:
                    PassTime(_random.Next(1, 8000));
                    break;
                case < 29 when client is { IsWaiting: true }:
                    // Its connection broke: it asks again, and whatever the broker says to the first request is not heard.
                    Note($"{client} loses its connection");
                    client.Joining = null;
                    client.Syncing = null;
                    break;
                case < 45 when client is { IsWaiting: false }:
                    await CommitAsync(client);
                    break;
                case < 50 when client is { IsWaiting: false, Id.Length: > 0 }:
                    Join(client); // again, although nobody asked it to: a leader's way to ask for a new assignment
                    break;
                case >= 100:
                    await RestartAsync();
                    break;
                default:
                    if (client is { IsWaiting: false })
                        await GoOnAsync(client);
                    break;
            }
        }

        /// <summary>What a proper client does next.</summary>
        private async Task GoOnAsync(Client client)
        {
            if (client.Id.Length == 0 || client.Generation < 0)
                Join(client);
            else if (!client.HasSynced)
                Sync(client);
            else
                await HeartbeatAsync(client);
        }

        private void AddClient(string? instanceId)
        {
            var protocols = _random.Next(3) switch { 0 => ["range"], 1 => ["range", "sticky"], _ => (string[])["sticky", "range"] };
            var client = new Client(_numbers++, instanceId, protocols);
            Note($"{client} appears");
            foreach (var former in _clients.Where(other => instanceId is not null && other.InstanceId == instanceId))
                former.IsReplaced = true;
            _clients.Add(client);
        }

        private void Join(Client client)
        {
            Note($"{client} joins as '{client.Id}'");
            var request = new JoinGroupRequest
            {
                GroupId = GroupId,
                MemberId = client.Id,
                GroupInstanceId = client.InstanceId,
                SessionTimeoutMs = SessionMs,
                RebalanceTimeoutMs = RebalanceMs,
                ProtocolType = "consumer",
                Protocols = [.. client.Protocols.Select(name => new JoinGroupRequest.JoinGroupRequestProtocol { Name = name, Metadata = Metadata(name, client.Number) })],
            };
            var known = client.Id.Length == 0 || Group is null ? null : Group.Find(client.Id);
            // Nobody else uses the broker: when the call returns, the loop has run.
            var task = Broker.SendAsync(request);
            var member = known ?? (client.InstanceId is not null ? Group?.FindStatic(client.InstanceId) : client.Id.Length == 0 ? null : Group?.Find(client.Id));
            client.HasSynced = false;
            client.Partitions = [];
            client.Joining = (task, member ?? _nobody);
            if (client.Id.Length == 0 && client.InstanceId is not null && member is not null)
            {
                // From here on whoever had the instance before is out.
                foreach (var former in _clients.Where(other => other != client && other.InstanceId == client.InstanceId))
                    former.IsReplaced = true;
            }
        }

        private void Sync(Client client)
        {
            Note($"{client} syncs in {client.Generation}");
            var request = new SyncGroupRequest { GroupId = GroupId, MemberId = client.Id, GroupInstanceId = client.InstanceId, GenerationId = client.Generation };
            if (client.IsLeader)
            {
                var ids = client.FollowersIds;
                request.Assignments =
                [
                    .. ids.Select((id, index) => new SyncGroupRequest.SyncGroupRequestAssignment
                    {
                        MemberId = id,
                        Assignment = Enumerable.Range(0, Partitions).Where(partition => partition % ids.Count == index).Select(partition => (byte)partition).ToArray(),
                    }),
                ];
            }

            var isAccepted = client.IsLeader && Group is { State: GroupState.CompletingRebalance } group && group.GenerationId == client.Generation && group.LeaderId == client.Id;
            var member = Group?.Find(client.Id) ?? _nobody;
            var task = Broker.SendAsync(request);
            if (isAccepted)
                _completedGeneration = client.Generation;
            foreach (var assignment in isAccepted ? request.Assignments : [])
                _assignments[(client.Generation, assignment.MemberId)] = assignment.Assignment.ToArray();
            client.Syncing = (task, member);
        }

        private async Task HeartbeatAsync(Client client)
        {
            var expected = Expected(client, whileCompleting: ErrorCode.None, whilePreparing: ErrorCode.RebalanceInProgress);
            Note($"{client} heartbeats in {client.Generation}: {expected}");
            var response = await Broker.SendAsync(new HeartbeatRequest { GroupId = GroupId, MemberId = client.Id, GroupInstanceId = client.InstanceId, GenerationId = client.Generation });
            Assert.Equal(expected, response.ErrorCode);
            React(client, response.ErrorCode);
        }

        private async Task CommitAsync(Client client)
        {
            var partition = _random.Next(Partitions);
            var offset = _nextOffset++;
            // Without generation anybody commits to a group without members, whatever id comes along, and nobody to one with.
            var expected = client.Generation >= 0
                ? Expected(client, whileCompleting: ErrorCode.RebalanceInProgress, whilePreparing: ErrorCode.None)
                : Group is null or { IsEmpty: true } ? ErrorCode.None : (ErrorCode?)null;
            Note($"{client} commits {partition} = {offset} in {client.Generation}: {expected}");
            var response = await Broker.SendAsync(new OffsetCommitRequest
            {
                GroupId = GroupId,
                MemberId = client.Id,
                GroupInstanceId = client.InstanceId,
                GenerationIdOrMemberEpoch = client.Generation,
                Topics = [new() { Name = Topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset }] }],
            });
            var error = response.Topics[0].Partitions[0].ErrorCode;
            if (expected is not null)
                Assert.Equal(expected == ErrorCode.UnknownMemberId && Group is null ? ErrorCode.GroupIdNotFound : expected, error);
            else
                Assert.NotEqual(ErrorCode.None, error);
            if (error == ErrorCode.None)
                _offsets[partition] = offset;
            else if (client.Generation >= 0)
                React(client, error);
        }

        private async Task LeaveAsync(Client client)
        {
            var member = Group?.Find(client.Id);
            var current = client.InstanceId is null ? null : Group?.FindStatic(client.InstanceId);
            var isPending = client.InstanceId is null && Group?.PendingMembers.ContainsKey(client.Id) == true;
            var expected = client.InstanceId is not null && current is not null && current.Id != client.Id ? ErrorCode.FencedInstanceId
                : isPending || (client.InstanceId is null ? member : current) is not null ? ErrorCode.None
                : ErrorCode.UnknownMemberId;
            Note($"{client} leaves: {expected}");
            var response = await Broker.SendAsync(new LeaveGroupRequest { GroupId = GroupId, Members = [new() { MemberId = client.Id, GroupInstanceId = client.InstanceId }] });
            Assert.Equal(expected, response.Members[0].ErrorCode);
            _clients.Remove(client);
        }

        private void PassTime(int ms)
        {
            Note($"{ms} ms pass");
            _clock.Advance(TimeSpan.FromMilliseconds(ms));
        }

        private async Task RestartAsync()
        {
            Note("restart");
            await Broker.DisposeAsync();
            foreach (var client in _clients)
            {
                client.Joining = null;
                client.Syncing = null;
            }

            await StartAsync();
            // A generation is kept once its assignment was made; one that had only begun is forgotten, and so are its members.
            var kept = Group?.GenerationId ?? 0;
            Assert.True(kept >= _completedGeneration, $"Generation {_completedGeneration} was forgotten");
            _highestGeneration = kept;
            foreach (var forgotten in _generations.Keys.Where(generation => generation > kept).ToList())
                _generations.Remove(forgotten);
            foreach (var forgotten in _assignments.Keys.Where(assignment => assignment.Generation > kept).ToList())
                _assignments.Remove(forgotten);
        }

        /// <summary>What a request of a client with an id and a generation must be answered, from who is in the group and how far it is.</summary>
        private ErrorCode Expected(Client client, ErrorCode whileCompleting, ErrorCode whilePreparing)
        {
            if (Group is not { } group)
                return ErrorCode.UnknownMemberId;
            if (client.InstanceId is not null)
            {
                if (group.FindStatic(client.InstanceId) is not { } current)
                    return ErrorCode.UnknownMemberId;
                if (current.Id != client.Id)
                    return ErrorCode.FencedInstanceId;
            }

            if (group.Find(client.Id) is null)
                return ErrorCode.UnknownMemberId;
            if (group.GenerationId != client.Generation)
                return ErrorCode.IllegalGeneration;
            return group.State switch
            {
                GroupState.PreparingRebalance => whilePreparing,
                GroupState.CompletingRebalance => whileCompleting,
                _ => ErrorCode.None,
            };
        }

        /// <summary>What a proper client concludes from an error.</summary>
        private void React(Client client, ErrorCode error)
        {
            switch (error)
            {
                case ErrorCode.None:
                    break;
                case ErrorCode.RebalanceInProgress:
                    client.Generation = -1;
                    break;
                case ErrorCode.MemberIdRequired:
                    break;
                case ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.GroupIdNotFound:
                    client.Forget();
                    break;
                case ErrorCode.FencedInstanceId:
                    Assert.True(client.IsReplaced, $"{client} was fenced by nobody");
                    _clients.Remove(client);
                    break;
                default:
                    Assert.Fail($"{client} got {error}");
                    break;
            }
        }

        /// <summary>Takes the answers that are there: those of requests that the broker no longer holds.</summary>
        private async Task SettleAsync()
        {
            foreach (var client in _clients.ToList())
            {
                if (client.Joining is { } joining && (joining.Member.PendingJoin is null || Group?.Find(joining.Member.Id) != joining.Member))
                {
                    client.Joining = null;
                    Joined(client, await joining.Task);
                }

                if (client.Syncing is { } syncing && (syncing.Member.PendingSync is null || Group?.Find(syncing.Member.Id) != syncing.Member))
                {
                    client.Syncing = null;
                    Synced(client, await syncing.Task);
                }
            }
        }

        private void Joined(Client client, JoinGroupResponse response)
        {
            Note($"{client}: join {response.ErrorCode} {response.GenerationId}");
            if (response.ErrorCode is ErrorCode.None or ErrorCode.MemberIdRequired)
                client.Id = response.MemberId;
            if (response.ErrorCode != ErrorCode.None)
            {
                React(client, response.ErrorCode);
                return;
            }

            Assert.True(response.GenerationId >= client.Generation);
            _highestGeneration = Math.Max(_highestGeneration, response.GenerationId);
            client.Generation = response.GenerationId;
            client.IsLeader = response.Leader == response.MemberId && !response.SkipAssignment;
            // A static member that took the leader's place changes the leader's id, and nothing else.
            if (_generations.TryGetValue(response.GenerationId, out var said))
                Assert.Equal(said.Protocol, response.ProtocolName);
            _generations[response.GenerationId] = (response.Leader, response.ProtocolName!);
            Assert.Contains(response.ProtocolName, client.Protocols);
            if (!client.IsLeader)
            {
                if (!response.SkipAssignment)
                    Assert.Empty(response.Members);
                return;
            }

            client.FollowersIds = response.Members.ConvertAll(member => member.MemberId);
            Assert.Contains(client.Id, client.FollowersIds);
            Assert.Equal(client.FollowersIds.Count, client.FollowersIds.Distinct().Count());
            Assert.All(response.Members, member => Assert.Equal(response.ProtocolName, System.Text.Encoding.UTF8.GetString(member.Metadata.Span).Split('@')[0]));
        }

        private void Synced(Client client, SyncGroupResponse response)
        {
            Note($"{client}: sync {response.ErrorCode}");
            if (response.ErrorCode != ErrorCode.None)
            {
                React(client, response.ErrorCode);
                return;
            }

            client.HasSynced = true;
            client.Partitions = [.. response.Assignment.ToArray().Select(partition => (int)partition)];
            if (_assignments.TryGetValue((client.Generation, client.Id), out var given))
                Assert.Equal(given, response.Assignment.ToArray());
            else
                Assert.True(client.InstanceId is not null || client.Partitions.Length == 0, "A part that nobody gave");
        }

        private async Task CheckAsync()
        {
            // One owner for each partition among those who may commit now.
            var owners = new Dictionary<int, Client>();
            foreach (var client in _clients.Where(client => client is { HasSynced: true, IsWaiting: false } && Expected(client, ErrorCode.RebalanceInProgress, ErrorCode.None) == ErrorCode.None))
            {
                foreach (var partition in client.Partitions)
                    Assert.True(owners.TryAdd(partition, client), $"Partition {partition} is {client}'s and another one's");
            }

            var group = Group;
            if (group is not null)
            {
                Assert.True(group.GenerationId >= _highestGeneration, "The generation went back");
                Assert.Equal(group.State == GroupState.Empty, group.Members.Count == 0 && group.State != GroupState.PreparingRebalance);
                if (group.Members.Count > 0 && group.State is GroupState.Stable or GroupState.CompletingRebalance)
                    Assert.Contains(group.Members, member => member.Id == group.LeaderId);
                var statics = group.Members.Where(member => member.InstanceId is not null).Select(member => member.InstanceId).ToList();
                Assert.Equal(statics.Count, statics.Distinct().Count());
            }

            if (_random.Next(4) > 0)
                return;
            var fetched = await Broker.SendAsync(new OffsetFetchRequest { Groups = [new() { GroupId = GroupId, Topics = [new() { Name = Topic, PartitionIndexes = [.. Enumerable.Range(0, Partitions)] }] }] });
            Assert.Equal(
                Enumerable.Range(0, Partitions).Select(partition => _offsets.GetValueOrDefault(partition, -1)),
                fetched.Groups[0].Topics[0].Partitions.OrderBy(partition => partition.PartitionIndex).Select(partition => partition.CommittedOffset));
        }

        /// <summary>Everybody behaves: soon the group is stable, with all who are left and nobody else, and each partition has its owner.</summary>
        private async Task QuietAsync()
        {
            Note("it gets quiet");
            // Former selves of static members that do not know it yet are not waited for.
            _clients.RemoveAll(client => client.IsReplaced);
            for (var round = 0; round < 200 && !IsSettled(); round++)
            {
                foreach (var client in _clients.ToList())
                {
                    if (!client.IsWaiting)
                        await GoOnAsync(client);
                    await SettleAsync();
                }

                await CheckAsync();
                // Slower than heartbeats have to be; ids that were asked for and never used, and members that were new when they went, take minutes.
                PassTime(3000);
                await SettleAsync();
            }

            Assert.True(IsSettled(), "The group did not settle");
            if (_clients.Count == 0)
                return;
            Assert.Equal(Enumerable.Range(0, Partitions), _clients.SelectMany(client => client.Partitions).Order());
            var described = (await Broker.SendAsync(new DescribeGroupsRequest { Groups = [GroupId] })).Groups[0];
            Assert.Equal(("Stable", _clients.Count), (described.GroupState, described.Members.Count));
        }

        private bool IsSettled() =>
            _clients.Count == 0
                ? Group is null || (Group.IsEmpty && Group.PendingMembers.Count == 0)
                : Group is { State: GroupState.Stable } group
                    && group.Members.Select(member => member.Id).Order(StringComparer.Ordinal).SequenceEqual(_clients.Select(client => client.Id).Order(StringComparer.Ordinal))
                    && _clients.TrueForAll(client => client is { HasSynced: true, IsWaiting: false } && client.Generation == group.GenerationId);

        private static byte[] Metadata(string protocol, int number) => System.Text.Encoding.UTF8.GetBytes($"{protocol}@{number}");

        private void Note(string step) => _steps.Add($"{_clock.NowMs % 100_000_000} {step}");

        /// <summary>Stands for a member where the broker answered without making or finding one.</summary>
        private static readonly GroupMember _nobody = new("", new JoinCall
        {
            GroupId = "", MemberId = "", InstanceId = null, ClientId = "", ClientHost = "", SessionTimeoutMs = 0, RebalanceTimeoutMs = 0, ProtocolType = "", Protocols = [], RequiresKnownMemberId = false, SupportsSkippingAssignment = false,
        });
    }
}
