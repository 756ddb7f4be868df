using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>AlterReplicaLogDirs (34): there is one data folder, where every replica already is; any other is not found.</summary>
internal sealed class AlterReplicaLogDirsHandler(BrokerState broker, string? dataDirectory)
    : RequestHandler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(0, 2)
{
    protected override ValueTask<AlterReplicaLogDirsResponse?> HandleAsync(
        AlterReplicaLogDirsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var here = DescribeLogDirsHandler.NameOf(dataDirectory);
        var response = new AlterReplicaLogDirsResponse();
        foreach (var dir in request.Dirs)
        {
            foreach (var topic in dir.Topics)
            {
                response.Results.Add(new()
                {
                    TopicName = topic.Name,
                    Partitions = topic.Partitions.ConvertAll(index => new AlterReplicaLogDirsResponse.AlterReplicaLogDirPartitionResult
                    {
                        PartitionIndex = index,
                        ErrorCode = dir.Path != here ? ErrorCode.LogDirNotFound
                            : view.Find(topic.Name, index) is null ? ErrorCode.UnknownTopicOrPartition
                            : ErrorCode.None,
                    }),
                });
            }
        }

        return ValueTask.FromResult<AlterReplicaLogDirsResponse?>(response);
    }
}
