using Broker.Lite.Metadata;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeLogDirs (35): the data folder, the room on its disk, and the size of each partition's log in it (KIP-113).</summary>
/// <remarks>v4: size and free space of the volume (KIP-827); unknown for logs in memory, whose folder is called <c>memory</c>.</remarks>
internal sealed class DescribeLogDirsHandler(BrokerState broker, string? dataDirectory) : RequestHandler<DescribeLogDirsRequest, DescribeLogDirsResponse>(0, 4)
{
    private const string MemoryName = "memory";

    /// <summary>What clients are told that the data folder is called.</summary>
    public static string NameOf(string? dataDirectory) => dataDirectory is null ? MemoryName : Path.GetFullPath(dataDirectory);

    protected override ValueTask<DescribeLogDirsResponse?> HandleAsync(DescribeLogDirsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var result = new DescribeLogDirsResponse.DescribeLogDirsResult { LogDir = NameOf(dataDirectory) };
        (result.TotalBytes, result.UsableBytes) = Room();
        var asked = request.Topics?.Select(topic => (topic.Topic, (IEnumerable<int>)topic.Partitions))
            ?? view.Topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic => (topic.Name, Enumerable.Range(0, topic.Partitions.Length)));
        foreach (var (name, indexes) in asked)
        {
            // A partition that does not exist is not in any folder, which is what the answer then says.
            var topic = view.Find(name);
            var partitions = indexes.Select(index => topic?.Find(index)).OfType<Partition>().Select(Describe).ToList();
            if (partitions.Count > 0)
                result.Topics.Add(new() { Name = name, Partitions = partitions });
        }

        return ValueTask.FromResult<DescribeLogDirsResponse?>(new DescribeLogDirsResponse { Results = [result] });
    }

    private static DescribeLogDirsResponse.DescribeLogDirsPartition Describe(Partition partition) =>
        new() { PartitionIndex = partition.Index, PartitionSize = partition.SizeBytes };

    private (long Total, long Usable) Room()
    {
        if (dataDirectory is null)
            return (-1, -1);
        try
        {
            var drive = new DriveInfo(Path.GetFullPath(dataDirectory));
            return (drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (-1, -1); // a network folder on some systems: the sizes of the logs are still worth telling
        }
    }
}
