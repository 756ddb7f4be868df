using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>Every log message of the engine. Ids: 1–99 application, 100–199 group, 200–299 threads and tasks, 300–399 state, 400–499 records.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Application {ApplicationId} goes from {From} to {To}")]
    public static partial void StateChanged(ILogger logger, string applicationId, KafkaStreamsState from, KafkaStreamsState to);

    [LoggerMessage(2, LogLevel.Information, "Application {ApplicationId} starts on {Cluster} as {ClientId} with {Threads} thread(s)")]
    public static partial void Starting(ILogger logger, string applicationId, string cluster, string clientId, int threads);

    [LoggerMessage(3, LogLevel.Error, "Application {ApplicationId} stops because of an error")]
    public static partial void Failed(ILogger logger, string applicationId, Exception failure);

    [LoggerMessage(4, LogLevel.Information, "Created internal topic {Topic} with {Partitions} partition(s)")]
    public static partial void InternalTopicCreated(ILogger logger, string topic, int partitions);

    [LoggerMessage(5, LogLevel.Warning, "The topology of application {ApplicationId} is not the one that its state was made by: {Changes}")]
    public static partial void TopologyChanged(ILogger logger, string applicationId, string changes);

    [LoggerMessage(6, LogLevel.Error, "The uncaught-exception handler failed itself when asked about the thread {Thread}; the instance is closed")]
    public static partial void UncaughtHandlerFailed(ILogger logger, string thread, Exception failure);

    [LoggerMessage(7, LogLevel.Warning, "The other instances of application {ApplicationId} may not have heard that they are to close: the group did not rebalance within {TimeoutMs} ms")]
    public static partial void ShutdownNotHeard(ILogger logger, string applicationId, double timeoutMs);

    [LoggerMessage(8, LogLevel.Error, "A listener of application {ApplicationId} failed when told that it goes from {From} to {To}; nothing else changes")]
    public static partial void StateListenerFailed(ILogger logger, string applicationId, KafkaStreamsState from, KafkaStreamsState to, Exception failure);

    [LoggerMessage(9, LogLevel.Error, "Application {ApplicationId} could not close its {What}")]
    public static partial void PartNotClosed(ILogger logger, string applicationId, string what, Exception failure);

    [LoggerMessage(10, LogLevel.Warning, "The thread of global stores of application {ApplicationId} cannot be replaced while others read its stores; the instance is closed")]
    public static partial void GlobalsNotReplaced(ILogger logger, string applicationId);

    [LoggerMessage(11, LogLevel.Error, "Application {ApplicationId} could not be a member of its group; it joins again in {DelayMs} ms")]
    public static partial void MembershipRetried(ILogger logger, string applicationId, double delayMs, Exception failure);

    [LoggerMessage(100, LogLevel.Information, "Joined group {Group} as {Member}, generation {Generation}{Leader}; tasks: {Tasks}; standbys: {Standbys}")]
    public static partial void Joined(ILogger logger, string group, string member, int generation, string leader, string tasks, string standbys);

    [LoggerMessage(101, LogLevel.Information, "Group {Group} rebalances: {Reason}")]
    public static partial void Rebalancing(ILogger logger, string group, GroupError reason);

    [LoggerMessage(102, LogLevel.Warning, "The coordinator of group {Group} does not answer; trying again in {DelayMs} ms")]
    public static partial void CoordinatorUnavailable(ILogger logger, string group, double delayMs, Exception failure);

    [LoggerMessage(103, LogLevel.Warning, "Leaving group {Group} was not acknowledged; the group notices after the session time-out")]
    public static partial void LeaveFailed(ILogger logger, string group, Exception failure);

    [LoggerMessage(104, LogLevel.Information, "Topics that group {Group} reads have changed; it divides its tasks anew")]
    public static partial void TopicsChanged(ILogger logger, string group);

    [LoggerMessage(105, LogLevel.Warning, "Group {Group} could not look at the cluster's topics; it tries again after metadata.max.age.ms")]
    public static partial void TopicsNotSeen(ILogger logger, string group, Exception failure);

    [LoggerMessage(106, LogLevel.Information, "Tasks were let go of that others of group {Group} may wait for; joining again")]
    public static partial void FollowUp(ILogger logger, string group);

    [LoggerMessage(107, LogLevel.Warning, "Application {ApplicationId} is to divide its tasks by traffic between racks ({Strategy}), but the rack of an instance or of a partition's brokers is not known: traffic is left out of account")]
    public static partial void RacksUnknown(ILogger logger, string applicationId, RackAwareAssignmentStrategy strategy);

    [LoggerMessage(200, LogLevel.Information, "Thread {Thread} created task {Task}")]
    public static partial void TaskCreated(ILogger logger, string thread, TaskId task);

    [LoggerMessage(201, LogLevel.Information, "Thread {Thread} closed task {Task} ({How})")]
    public static partial void TaskClosed(ILogger logger, string thread, TaskId task, string how);

    [LoggerMessage(202, LogLevel.Warning, "Task {Task} is not this instance's any more; what it did since its last commit is given up")]
    public static partial void TaskMigrated(ILogger logger, TaskId task, Exception failure);

    [LoggerMessage(203, LogLevel.Warning, "Thread {Thread} could not commit, because the cluster does not answer; it tries again until {TimeoutMs} ms have passed")]
    public static partial void CommitRetried(ILogger logger, string thread, double timeoutMs, Exception failure);

    [LoggerMessage(204, LogLevel.Warning, "Deleting consumed repartition records failed; it is tried again later")]
    public static partial void PurgeFailed(ILogger logger, Exception failure);

    [LoggerMessage(205, LogLevel.Warning, "Task {Task} did not close cleanly")]
    public static partial void CloseFailed(ILogger logger, TaskId task, Exception failure);

    [LoggerMessage(206, LogLevel.Warning, "Thread {Thread} could not read from the cluster; it tries again until {TimeoutMs} ms have passed")]
    public static partial void PollRetried(ILogger logger, string thread, double timeoutMs, Exception failure);

    [LoggerMessage(209, LogLevel.Information, "Thread {Thread} processed {Processed} record(s), ran {Punctuations} wall-clock punctuation(s), polled {Polled} record(s) and made {Commits} commit(s) in the last {ElapsedMs} ms")]
    public static partial void Summary(ILogger logger, string thread, long processed, long punctuations, long polled, long commits, long elapsedMs);

    [LoggerMessage(210, LogLevel.Warning, "Thread {Thread} could not abort its transaction; the cluster ends it by itself")]
    public static partial void AbortFailed(ILogger logger, string thread, Exception failure);

    [LoggerMessage(211, LogLevel.Warning, "Thread {Thread} goes back to its last commit and processes the records since then again")]
    public static partial void WentBack(ILogger logger, string thread, Exception failure);

    [LoggerMessage(212, LogLevel.Error, "Thread {Thread} failed and is replaced in {DelayMs} ms: it goes on from its last commit")]
    public static partial void ThreadReplaced(ILogger logger, string thread, double delayMs, Exception failure);

    [LoggerMessage(213, LogLevel.Warning, "Thread {Thread} could not open its tasks, because the cluster does not answer; it tries again until {TimeoutMs} ms have passed")]
    public static partial void OpeningRetried(ILogger logger, string thread, double timeoutMs, Exception failure);

    [LoggerMessage(214, LogLevel.Warning, "Thread {Thread} closes without its last commit; what it did since the one before is processed again by whoever goes on")]
    public static partial void LastCommitFailed(ILogger logger, string thread, Exception failure);

    [LoggerMessage(218, LogLevel.Warning, "Thread {Thread} has lost its place in {Topic}-{Partition}: offset {Offset} is not in the log any more; it goes on at {NewOffset}, and what was deleted in between is not processed")]
    public static partial void PositionLost(ILogger logger, string thread, string topic, int partition, long offset, long newOffset);

    [LoggerMessage(300, LogLevel.Information, "Task {Task} restores {Records} record(s) of {Changelog} from offset {From}")]
    public static partial void RestoreStarted(ILogger logger, TaskId task, long records, TopicPartition changelog, long from);

    [LoggerMessage(301, LogLevel.Information, "Task {Task} restored {Records} record(s) of {Changelog} in {ElapsedMs} ms")]
    public static partial void RestoreDone(ILogger logger, TaskId task, long records, TopicPartition changelog, double elapsedMs);

    [LoggerMessage(302, LogLevel.Warning, "State of task {Task} in {Folder} is deleted")]
    public static partial void StateWiped(ILogger logger, TaskId task, string folder);

    [LoggerMessage(303, LogLevel.Warning, "State of task {Task} does not agree with its changelog: {Reason}; it is wiped and restored in full")]
    public static partial void StateCorrupted(ILogger logger, TaskId task, string reason);

    [LoggerMessage(304, LogLevel.Information, "Global store {Store} reads {Records} record(s) of {Topic} before the application goes on")]
    public static partial void GlobalLoading(ILogger logger, string store, long records, string topic);

    [LoggerMessage(305, LogLevel.Information, "Global stores are up to date after {ElapsedMs} ms")]
    public static partial void GlobalsLoaded(ILogger logger, double elapsedMs);

    [LoggerMessage(306, LogLevel.Warning, "State of global store {Store} does not agree with topic {Topic}: {Reason}; it is wiped and read anew")]
    public static partial void GlobalCorrupted(ILogger logger, string store, string topic, string reason);

    [LoggerMessage(307, LogLevel.Warning, "Thread {Thread} waits for the cluster, which does not answer; trying again in {DelayMs} ms")]
    public static partial void GlobalWaits(ILogger logger, string thread, double delayMs, Exception failure);

    [LoggerMessage(308, LogLevel.Warning, "Global store {Store} did not close cleanly")]
    public static partial void GlobalCloseFailed(ILogger logger, string store, Exception failure);

    [LoggerMessage(309, LogLevel.Warning, "What is known of the topology in {File} cannot be read or written; changes of the topology are not noticed")]
    public static partial void FingerprintUnusable(ILogger logger, string file, Exception failure);

    [LoggerMessage(330, LogLevel.Warning, "The process id in {File} cannot be kept; transactions that a crash leaves open end by their time-out only")]
    public static partial void ProcessIdUnusable(ILogger logger, string file, Exception failure);

    [LoggerMessage(310, LogLevel.Information, "Task {Task} has restored {Records} of {Total} record(s) of {Changelog}: {Rate} per second, {SecondsLeft} s left")]
    public static partial void RestoreProgress(ILogger logger, TaskId task, long records, long total, TopicPartition changelog, long rate, long secondsLeft);

    [LoggerMessage(311, LogLevel.Information, "Standby of task {Task} follows {Changelog} from offset {From}, {Lag} record(s) behind")]
    public static partial void StandbyStarted(ILogger logger, TaskId task, TopicPartition changelog, long from, long lag);

    [LoggerMessage(312, LogLevel.Warning, "Thread {Thread} could not read changelogs, because the cluster does not answer; it tries again until {TimeoutMs} ms have passed")]
    public static partial void RestoreRetried(ILogger logger, string thread, double timeoutMs, Exception failure);

    [LoggerMessage(313, LogLevel.Information, "Task {Task} becomes {Role} where its state is")]
    public static partial void TaskRecycled(ILogger logger, TaskId task, string role);

    [LoggerMessage(314, LogLevel.Information, "State of task {Task} in {Folder} is deleted: it has not been used for {Age}")]
    public static partial void StateCleaned(ILogger logger, TaskId task, string folder, TimeSpan age);

    [LoggerMessage(315, LogLevel.Warning, "State of task {Task} in {Folder} could not be deleted")]
    public static partial void StateNotCleaned(ILogger logger, TaskId task, string folder, Exception failure);

    [LoggerMessage(316, LogLevel.Debug, "Positions of task {Task} could not be noted in {Folder}; the group takes its state for new")]
    public static partial void PositionsNotNoted(ILogger logger, TaskId task, string folder, Exception failure);

    [LoggerMessage(317, LogLevel.Warning, "Local state in {Folder} is there and not for this process to use or clean up")]
    public static partial void StateOfAnother(ILogger logger, string folder, Exception cause);

    [LoggerMessage(318, LogLevel.Warning, "{Count} iterator(s) over store {Store} were never disposed and held memory and files of it until the collector came. The last one was opened {Origin}")]
    public static partial void IteratorForgotten(ILogger logger, long count, string store, string origin);

    [LoggerMessage(319, LogLevel.Warning, "Store {Store} in {Folder} is a {Found} store, and with its new retention it is a {Kind} store: it is deleted and restored from its changelog")]
    public static partial void StoreSegmentsChanged(ILogger logger, string store, string folder, string found, string kind);

    [LoggerMessage(400, LogLevel.Warning, "Operator {Node} of task {Task} left out the record at {Topic}-{Partition}, offset {Offset}")]
    public static partial void RecordLeftOut(ILogger logger, string node, TaskId task, string topic, int partition, long offset, Exception failure);

    [LoggerMessage(410, LogLevel.Warning, "Table {Node} of task {Task} took an update that is older than its row, from {Topic}-{Partition}, offset {Offset}: {Timestamp} after {RowTimestamp}; {Count} so far")]
    public static partial void TableUpdateOutOfOrder(
        ILogger logger, string node, TaskId task, string topic, int partition, long offset, long timestamp, long rowTimestamp, long count);
}
