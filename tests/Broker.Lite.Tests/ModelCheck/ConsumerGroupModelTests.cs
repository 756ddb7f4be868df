using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.ModelCheck;

/// <summary>
/// Random histories of a group with the consumer protocol: members that come, go, fall silent, are slow to give up partitions, lose answers;
/// topics that grow; restarts. A partition never has two owners that may both commit, and when it gets quiet everybody has an even share.
/// </summary>
public sealed class ConsumerGroupModelTests
{
    private const string Group = "g";

    [Fact]
    public Task Partition_never_has_two_owners_and_quiet_groups_are_even() => Seeds.ForEachAsync(200, seed => RunAsync(seed, null));

    [Fact]
    public Task Partition_never_has_two_owners_across_restarts() => Seeds.ForEachAsync(25, async seed =>
    {
        using var folder = new TestFolder();
        await RunAsync(seed, folder.Path);
    });

    private static async Task RunAsync(int seed, string? folder)
    {
        var random = new Random(seed);
        var clock = new ManualClock();
        var steps = new List<string>();
        var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder }, clock);
        try
        {
            await broker.CreateTopicAsync("t", 4);
            await broker.CreateTopicAsync("u", 3);
            var partitions = 7;
            var members = new List<TestConsumer>();
            for (var i = 0; i < 60; i++)
            {
                var member = members.Count == 0 ? null : members[random.Next(members.Count)];
                switch (random.Next(folder is null ? 100 : 104))
                {
                    case < 12 when members.Count < 5:
                        steps.Add($"{members.Count} joins");
                        member = new TestConsumer(broker, Group) { Topics = ["t", "u"] };
                        members.Add(member);
                        Assert.Equal(ErrorCode.None, await member.HeartbeatAsync());
                        break;
                    case < 17 when member is not null:
                        steps.Add($"{members.IndexOf(member)} leaves");
                        members.Remove(member);
                        Assert.Contains(await member.LeaveAsync(), (ErrorCode[])[ErrorCode.None, ErrorCode.UnknownMemberId]);
                        break;
                    case < 20 when member is not null:
                        steps.Add($"{members.IndexOf(member)} is gone without a word");
                        members.Remove(member);
                        break;
                    case < 26 when member is not null:
                        steps.Add($"{members.IndexOf(member)} is stubborn: {!member.IsStubborn}");
                        member.IsStubborn = !member.IsStubborn;
                        break;
                    case < 32 when member is not null:
                        steps.Add($"{members.IndexOf(member)} loses an answer");
                        await member.SendAsync();
                        break;
                    case < 36:
                        steps.Add("time passes");
                        clock.Advance(TimeSpan.FromSeconds(random.Next(1, 20)));
                        break;
                    case < 38 when partitions < 12:
                        steps.Add("a topic grows");
                        await broker.SendAsync(new CreatePartitionsRequest { Topics = [new() { Name = "t", Count = ++partitions - 3, Assignments = null }] });
                        break;
                    case < 100 when member is not null:
                        steps.Add($"{members.IndexOf(member)} heartbeats");
                        Assert.Contains(await member.HeartbeatAsync(full: random.Next(3) == 0), (ErrorCode[])[ErrorCode.None, ErrorCode.UnknownMemberId, ErrorCode.FencedMemberEpoch]);
                        break;
                    case >= 100:
                        steps.Add("restart");
                        await broker.DisposeAsync();
                        broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder }, clock);
                        members.ForEach(one => one.Broker = broker);
                        break;
                }

                await AssertOneOwnerEachAsync(broker, members);
            }

            // Everybody behaves again; whoever is gone or was fenced is out once its time is over.
            members.ForEach(member => member.IsStubborn = false);
            for (var round = 0; round < 20; round++)
            {
                clock.Advance(TimeSpan.FromSeconds(5));
                foreach (var member in members)
                {
                    await member.HeartbeatAsync(full: true);
                    await AssertOneOwnerEachAsync(broker, members);
                }
            }

            if (members.Count == 0)
                return;
            Assert.Equal(partitions, members.Sum(member => member.Owned.Count));
            Assert.True(members.Max(member => member.Owned.Count) - members.Min(member => member.Owned.Count) <= 1);
            Assert.Equal("Stable", (await broker.SendAsync(new ConsumerGroupDescribeRequest { GroupIds = [Group] })).Groups[0].GroupState);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nAfter:\n{string.Join('\n', steps)}", e);
        }
        finally
        {
            await broker.DisposeAsync();
        }
    }

    /// <summary>Of what members believe to have, only what the broker still counts as theirs: a member that is out does not know it yet.</summary>
    private static async Task AssertOneOwnerEachAsync(TestBroker broker, List<TestConsumer> members)
    {
        var group = (await broker.SendAsync(new ConsumerGroupDescribeRequest { GroupIds = [Group] })).Groups[0];
        var inside = group.Members.Select(member => member.MemberId).ToHashSet();
        TestConsumer.AssertOneOwnerEach(members.Where(member => inside.Contains(member.Id)));
        var assigned = group.Members.SelectMany(member => member.Assignment.TopicPartitions.SelectMany(topic => topic.Partitions.Select(partition => (topic.TopicId, partition)))).ToList();
        Assert.Equal(assigned.Count, assigned.Distinct().Count());
    }
}
