using System.Globalization;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Metadata;

/// <summary>A disk that really is full: clients get errors, what was acknowledged stays, and service resumes when there is room.</summary>
public sealed class DiskFullTests
{
    private const int DiskBytes = 24 << 20;
    private const int BallastBytes = 8 << 20;

    [Fact]
    public async Task Full_disk_refuses_loses_nothing_acknowledged_and_serves_again_with_room()
    {
        using var disk = SmallDisk.MountOrSkip(DiskBytes);
        await File.WriteAllBytesAsync(disk.Ballast, new byte[BallastBytes], TestContext.Current.CancellationToken);
        var options = new BrokerOptions { DataDirectory = Path.Combine(disk.Path, "data") };
        var clock = new ManualClock();
        var acknowledged = new List<string>();
        await using (var broker = await TestBroker.StartAsync(options, clock))
        {
            await broker.CreateTopicAsync("t", 1, ("segment.bytes", "4000000"));
            var member = new TestMember(broker, "g");
            Assert.Equal(ErrorCode.None, await member.CommitAsync("t", 1));

            var refused = await FillAsync(broker, acknowledged);
            Assert.Equal(ErrorCode.KafkaStorageError, refused);
            Assert.True(acknowledged.Count > 10, $"{acknowledged.Count} records fit");
            // Smaller ones fill the rest; then really nothing fits, and each refusal leaves the log as it was.
            while (await SendAsync(broker, acknowledged, valueBytes: 1000) == ErrorCode.None)
            {
            }

            for (var i = 0; i < 5; i++)
                Assert.Equal(ErrorCode.KafkaStorageError, await SendAsync(broker, acknowledged, valueBytes: 5000));
            Assert.Equal(acknowledged, await ReadAsync(broker));

            // The other writers are told too, by errors that clients repeat the request after, and reading goes on.
            var errors = new List<ErrorCode>();
            for (var offset = 0; offset < 300 && !errors.Contains(ErrorCode.CoordinatorNotAvailable); offset++)
                errors.Add(await member.CommitAsync("t", offset, metadata: new string('m', 4000)));
            Assert.Contains(ErrorCode.CoordinatorNotAvailable, errors);
            Assert.All(errors, error => Assert.True(error is ErrorCode.None or ErrorCode.CoordinatorNotAvailable, error.ToString()));
            var created = await broker.SendAsync(new CreateTopicsRequest { Topics = [new() { Name = "late", NumPartitions = 50, ReplicationFactor = 1 }] });
            Assert.Equal(ErrorCode.KafkaStorageError, created.Topics[0].ErrorCode);
            Assert.Equal(acknowledged, await ReadAsync(broker));

            File.Delete(disk.Ballast);
            Assert.Equal(ErrorCode.None, await SendAsync(broker, acknowledged, valueBytes: 1000));
            Assert.Equal(ErrorCode.None, await member.CommitAsync("t", 77));
            await broker.CreateTopicAsync("late", 2);
            Assert.Equal(acknowledged, await ReadAsync(broker));
        }

        await using (var broker = await TestBroker.StartAsync(options, clock))
        {
            Assert.Equal(acknowledged, await ReadAsync(broker));
            Assert.Equal(77, (await OffsetAsync(broker)).CommittedOffset);
            Assert.Equal(ErrorCode.None, await SendAsync(broker, acknowledged, valueBytes: 1000));
        }
    }

    [Fact]
    public async Task Broker_that_stopped_on_a_full_disk_starts_with_all_that_it_acknowledged()
    {
        using var disk = SmallDisk.MountOrSkip(DiskBytes);
        await File.WriteAllBytesAsync(disk.Ballast, new byte[BallastBytes], TestContext.Current.CancellationToken);
        var options = new BrokerOptions { DataDirectory = Path.Combine(disk.Path, "data") };
        var acknowledged = new List<string>();
        await using (var broker = await TestBroker.StartAsync(options))
        {
            await broker.CreateTopicAsync("t", 1, ("segment.bytes", "4000000"));
            Assert.Equal(ErrorCode.KafkaStorageError, await FillAsync(broker, acknowledged));
            while (await SendAsync(broker, acknowledged, valueBytes: 1000) == ErrorCode.None)
            {
            }
        }

        File.Delete(disk.Ballast);
        await using (var broker = await TestBroker.StartAsync(options))
        {
            Assert.Equal(acknowledged, await ReadAsync(broker));
            Assert.Equal(ErrorCode.None, await SendAsync(broker, acknowledged, valueBytes: 1000));
            Assert.Equal(acknowledged, await ReadAsync(broker));
        }
    }

    [Fact]
    public async Task Retention_makes_the_room_that_a_full_disk_lacks()
    {
        using var disk = SmallDisk.MountOrSkip(DiskBytes);
        var clock = new ManualClock();
        var acknowledged = new List<string>();
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = Path.Combine(disk.Path, "data") }, clock);
        await broker.CreateTopicAsync("t", 1, ("segment.bytes", "1000000"), ("retention.ms", "600000"), ("file.delete.delay.ms", "0"));
        Assert.Equal(ErrorCode.KafkaStorageError, await FillAsync(broker, acknowledged));
        clock.Advance(TimeSpan.FromMinutes(21)); // retention and two looks for what it has made old
        Assert.Equal(ErrorCode.None, await SendAsync(broker, acknowledged, valueBytes: 200_000));
        var left = await ReadAsync(broker);
        Assert.True(left.Count < acknowledged.Count);
        Assert.Equal(acknowledged[^left.Count..], left);
    }

    private static async Task<ErrorCode> FillAsync(TestBroker broker, List<string> acknowledged)
    {
        for (var count = 0; count < 2 * DiskBytes / 200_000; count++)
        {
            if (await SendAsync(broker, acknowledged, valueBytes: 200_000) is var error and not ErrorCode.None)
                return error;
        }

        return ErrorCode.None;
    }

    /// <summary>Writes one record; those that are acknowledged are noted by what they begin with.</summary>
    private static async Task<ErrorCode> SendAsync(TestBroker broker, List<string> acknowledged, int valueBytes)
    {
        var name = acknowledged.Count.ToString("D8", CultureInfo.InvariantCulture);
        var result = await broker.ProduceAsync("t", Batches.At(broker.Clock.NowMs, name.PadRight(valueBytes, 'x')));
        if (result.ErrorCode != ErrorCode.None)
            return result.ErrorCode;
        acknowledged.Add(name);
        return ErrorCode.None;
    }

    private static async Task<List<string>> ReadAsync(TestBroker broker)
    {
        var names = new List<string>();
        var listed = await broker.SendAsync(new ListOffsetsRequest { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -2 }] }] });
        for (var next = listed.Topics[0].Partitions[0].Offset; ;)
        {
            var fetched = await broker.FetchAsync("t", next);
            Assert.Equal(ErrorCode.None, fetched.ErrorCode);
            if (fetched.Records!.Value.Length == 0)
                return names;
            names.AddRange(Batches.Read(fetched.Records).Select(record => record.Value[..8]));
            next = Batches.EndOffset(fetched.Records);
        }
    }

    private static async Task<OffsetFetchResponse.OffsetFetchResponsePartitions> OffsetAsync(TestBroker broker) =>
        (await broker.SendAsync(new OffsetFetchRequest { Groups = [new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }] })).Groups[0].Topics[0].Partitions[0];
}
