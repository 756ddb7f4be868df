using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class MemberMetadataTests
{
    private static readonly MemberMetadata _metadata = new()
    {
        ProcessId = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"),
        Threads = 3,
        Generation = 12,
        OwnedTasks = [new(0, 1), new(2, 0)],
        Positions = new Dictionary<TaskId, long> { [new(0, 1)] = MemberMetadata.CaughtUp, [new(1, 5)] = 5_000_000_000, [new(1, 6)] = MemberMetadata.UnknownPosition },
        ApplicationServer = "10.0.0.7:8080",
        Tags = new Dictionary<string, string> { ["zone"] = "a" },
        ErrorCode = 1,
        Nonce = 200,
    };

    private static readonly MemberAssignment _assignment = new()
    {
        Tasks = [new(0, 1), new(1, 7)],
        StandbyTasks = [new(2, 3)],
        PartitionCounts = new Dictionary<string, int> { ["in"] = 4, ["app-x-repartition"] = 12 },
        Hosts = [new HostedTasks("10.0.0.7:8080", [new(0, 1), new(1, 7)], [new(2, 3)]), new HostedTasks("", [new(2, 3)], [])],
        ProbeAfterMs = 600_000,
        ErrorCode = 1,
    };

    [Fact]
    public void Metadata_comes_back_as_it_went()
    {
        var decoded = MemberMetadata.Decode(_metadata.Encode(["in", "other"]).Span);
        Assert.Equal(_metadata.ProcessId, decoded.ProcessId);
        Assert.Equal(3, decoded.Threads);
        Assert.Equal(12, decoded.Generation);
        Assert.Equal(_metadata.OwnedTasks, decoded.OwnedTasks);
        Assert.Equal(_metadata.Positions.OrderBy(entry => entry.Key), decoded.Positions.OrderBy(entry => entry.Key));
        Assert.Equal("10.0.0.7:8080", decoded.ApplicationServer);
        Assert.Equal("a", Assert.Single(decoded.Tags, entry => entry.Key == "zone").Value);
        Assert.Equal(1, decoded.ErrorCode);
        Assert.Equal(200, decoded.Nonce);
    }

    [Fact]
    public void Assignment_comes_back_as_it_went()
    {
        var decoded = MemberAssignment.Decode(Assignment());
        Assert.Equal(_assignment.Tasks, decoded.Tasks);
        Assert.Equal(_assignment.StandbyTasks, decoded.StandbyTasks);
        Assert.Equal(600_000, decoded.ProbeAfterMs);
        Assert.Equal(1, decoded.ErrorCode);
        Assert.Equal(2, decoded.Hosts.Count);
        Assert.Equal(_assignment.Hosts[0].Active, decoded.Hosts[0].Active);
        Assert.Equal(_assignment.Hosts[0].Standby, decoded.Hosts[0].Standby);
        Assert.Equal("10.0.0.7:8080", decoded.Hosts[0].ApplicationServer);
        Assert.Equal(_assignment.PartitionCounts.OrderBy(entry => entry.Key), decoded.PartitionCounts.OrderBy(entry => entry.Key));
    }

    [Fact]
    public void Empty_assignment_has_no_tasks() => Assert.Empty(MemberAssignment.Decode([]).Tasks);

    [Fact]
    public void Every_cut_is_noticed()
    {
        var metadata = _metadata.Encode(["in"]).ToArray();
        for (var length = 0; length < metadata.Length; length++) Assert.Throws<SerializationException>(() => MemberMetadata.Decode(metadata.AsSpan(0, length)));
        var assignment = Assignment();
        for (var length = 1; length < assignment.Length; length++) Assert.Throws<SerializationException>(() => MemberAssignment.Decode(assignment.AsSpan(0, length)));
    }

    [Fact]
    public void Damaged_bytes_are_refused_or_read_but_break_nothing()
    {
        const int Seed = 4711;
        var random = new Random(Seed);
        var refused = 0;
        foreach (var good in new[] { _metadata.Encode(["in"]).ToArray(), Assignment() })
        {
            for (var round = 0; round < 5000; round++)
            {
                var bad = good.ToArray();
                for (var damage = random.Next(1, 4); damage > 0; damage--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
                refused += IsRefused(() => MemberMetadata.Decode(bad)) ? 1 : 0;
                refused += IsRefused(() => MemberAssignment.Decode(bad)) ? 1 : 0;
            }
        }

        Assert.InRange(refused, 1000, 19_999);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void Impossible_partition_counts_are_refused(int count)
    {
        var bytes = (_assignment with { PartitionCounts = new Dictionary<string, int> { ["in"] = count } }).Encode([]);
        Assert.Throws<SerializationException>(() => MemberAssignment.Decode(bytes.Span));
    }

    [Fact]
    public void Impossible_tasks_and_threads_are_refused()
    {
        Assert.Throws<SerializationException>(() => MemberMetadata.Decode((_metadata with { OwnedTasks = [new(-1, 0)] }).Encode([]).Span));
        Assert.Throws<SerializationException>(() => MemberMetadata.Decode((_metadata with { Positions = new Dictionary<TaskId, long> { [new(0, -1)] = 1 } }).Encode([]).Span));
        Assert.Throws<SerializationException>(() => MemberMetadata.Decode((_metadata with { Positions = new Dictionary<TaskId, long> { [new(0, 0)] = -7 } }).Encode([]).Span));
        Assert.Throws<SerializationException>(() => MemberMetadata.Decode((_metadata with { Threads = -1 }).Encode([]).Span));
        Assert.Throws<SerializationException>(() => MemberMetadata.Decode((_metadata with { Threads = int.MaxValue }).Encode([]).Span));
    }

    private static byte[] Assignment() => _assignment.Encode([new("in", 1), new("in", 2), new("x", 7)]).ToArray();

    private static bool IsRefused(Action decode)
    {
        try
        {
            decode();
            return false;
        }
        catch (SerializationException)
        {
            return true;
        }
    }
}
