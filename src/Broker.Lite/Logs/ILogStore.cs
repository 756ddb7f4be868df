namespace Broker.Lite.Logs;

/// <summary>
/// All partition logs of a broker, in a data folder or in memory. Members may be called from any thread. Disposing it closes the logs
/// cleanly, so that the next start needs no recovery.
/// </summary>
internal interface ILogStore : IDisposable
{
    /// <summary>The logs that exist, in no particular order.</summary>
    IReadOnlyCollection<IPartitionLog> Logs { get; }

    /// <summary>The log of a partition, or null.</summary>
    IPartitionLog? Find(string topic, int partition);

    /// <summary>Creates the log of a partition, or gives the one that exists.</summary>
    /// <exception cref="IOException">The folder could not be made.</exception>
    /// <exception cref="InvalidOperationException">There is a log of that name under another topic id.</exception>
    IPartitionLog Create(string topic, int partition, Guid topicId, LogConfig config);

    /// <summary>
    /// Deletes a partition's log: it is gone from the store at once, its folder is first renamed, so that a crash cannot leave half a log.
    /// False when there is none.
    /// </summary>
    bool Delete(string topic, int partition);

    /// <summary>The same for all of a topic's partitions, from 0 on; those that have no log are no error. The number of logs deleted.</summary>
    int DeleteTopic(string topic, int partitions);

    /// <summary>
    /// What has to happen now and then: retention, flush by time, expiry of producers, checkpoints. Does I/O; call it every few seconds
    /// from a thread that may wait.
    /// </summary>
    /// <param name="withRetention">Whether old segments go, too.</param>
    void RunMaintenance(bool withRetention);
}
