using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Diagnostics;

/// <summary>Every log message of the broker. Ids: 1–99 broker, 100–199 network, 200–299 groups, 300–399 metadata, 400–499 logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Broker {BrokerId} of cluster {ClusterId} started with {Topics} topics; data in {Directory}")]
    public static partial void BrokerStarted(ILogger logger, int brokerId, string clusterId, int topics, string directory);

    [LoggerMessage(2, LogLevel.Information, "Broker stopped")]
    public static partial void BrokerStopped(ILogger logger);

    [LoggerMessage(3, LogLevel.Error, "A work item of the broker loop failed")]
    public static partial void LoopItemFailed(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Information, "Stopping on {Signal}")]
    public static partial void Stopping(ILogger logger, string signal);

    [LoggerMessage(10, LogLevel.Warning, "These settings have no effect in a broker without cluster: {Settings}")]
    public static partial void SettingsWithoutEffect(ILogger logger, string settings);

    [LoggerMessage(11, LogLevel.Information, "Metrics and health are served on http://{Endpoint}")]
    public static partial void ServingMetrics(ILogger logger, string endpoint);

    [LoggerMessage(100, LogLevel.Information, "Listener {Listener} ({Protocol}) listens on {Endpoint}")]
    public static partial void Listening(ILogger logger, string listener, string protocol, string endpoint);

    [LoggerMessage(101, LogLevel.Debug, "Connection {Connection} from {Remote} opened")]
    public static partial void ConnectionOpened(ILogger logger, long connection, string remote);

    [LoggerMessage(102, LogLevel.Debug, "Connection {Connection} closed: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, long connection, string reason);

    [LoggerMessage(103, LogLevel.Warning, "Connection {Connection} from {Remote} closed: {Reason}")]
    public static partial void ConnectionRefused(ILogger logger, long connection, string remote, string reason);

    [LoggerMessage(104, LogLevel.Error, "Request {Api} v{Version} on connection {Connection} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, ApiKey api, short version, long connection);

    [LoggerMessage(105, LogLevel.Critical, "Accepting connections failed; the broker stops listening")]
    public static partial void AcceptFailed(ILogger logger, Exception exception);

    [LoggerMessage(106, LogLevel.Trace, "Connection {Connection}: {Api} v{Version} from client {ClientId}")]
    public static partial void RequestReceived(ILogger logger, long connection, ApiKey api, short version, string clientId);

    [LoggerMessage(107, LogLevel.Error, "Connection {Connection} failed")]
    public static partial void ConnectionFailed(ILogger logger, Exception exception, long connection);

    [LoggerMessage(120, LogLevel.Warning, "Connection {Connection} from {Remote}: authentication with {Mechanism} failed: {Reason}")]
    public static partial void AuthenticationFailed(ILogger logger, long connection, string remote, string mechanism, string reason);

    [LoggerMessage(121, LogLevel.Warning, "A client at {Host} did not prove who it is: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string host, string reason);

    [LoggerMessage(122, LogLevel.Information, "{Principal} from {Host} changed {What}")]
    public static partial void SecurityChanged(ILogger logger, string principal, string host, string what);

    [LoggerMessage(123, LogLevel.Error, "Users, access rules and quotas could not be changed")]
    public static partial void SecurityChangeFailed(ILogger logger, Exception exception);

    [LoggerMessage(124, LogLevel.Debug, "Connection {Connection}: the client's certificate stands for {Principal}")]
    public static partial void CertificateAccepted(ILogger logger, long connection, string principal);

    [LoggerMessage(200, LogLevel.Information, "Group {GroupId}: generation {Generation} formed with {Members} members, protocol {Protocol}")]
    public static partial void GenerationFormed(ILogger logger, string groupId, int generation, int members, string protocol);

    [LoggerMessage(201, LogLevel.Information, "Group {GroupId}: member {MemberId} is out, {Reason}")]
    public static partial void MemberLeft(ILogger logger, string groupId, string memberId, string reason);

    [LoggerMessage(202, LogLevel.Error, "Group {GroupId}: a change could not be written: {Error}")]
    public static partial void GroupNotPersisted(ILogger logger, string groupId, ErrorCode error);

    [LoggerMessage(203, LogLevel.Information, "Restored {Groups} groups with {Offsets} offsets from {Records} records")]
    public static partial void GroupsRestored(ILogger logger, int groups, int offsets, long records);

    [LoggerMessage(204, LogLevel.Warning, "Skipped a record of {Topic}-{Partition} at offset {Offset}: {Reason}")]
    public static partial void GroupRecordSkipped(ILogger logger, string topic, int partition, long offset, string reason);

    [LoggerMessage(220, LogLevel.Information, "Restored {Ids} transactional ids, {Open} of them with a transaction that has not ended, from {Records} records")]
    public static partial void TransactionsRestored(ILogger logger, int ids, int open, long records);

    [LoggerMessage(221, LogLevel.Error, "Transactional id {TransactionalId}: a change could not be written: {Error}")]
    public static partial void TransactionNotPersisted(ILogger logger, string transactionalId, ErrorCode error);

    [LoggerMessage(222, LogLevel.Error, "Transactional id {TransactionalId}: the marker in {Topic}-{Partition} could not be written and will be tried again: {Error}")]
    public static partial void MarkerNotWritten(ILogger logger, string transactionalId, string topic, int partition, ErrorCode error);

    [LoggerMessage(223, LogLevel.Warning, "Transactional id {TransactionalId}: {Topic}-{Partition} knows a later epoch of its producer and takes no marker: {Error}")]
    public static partial void MarkerRefused(ILogger logger, string transactionalId, string topic, int partition, ErrorCode error);

    [LoggerMessage(224, LogLevel.Information, "Transactional id {TransactionalId}: the transaction of producer {ProducerId} was open for more than {TimeoutMs} ms and is aborted")]
    public static partial void TransactionTimedOut(ILogger logger, string transactionalId, long producerId, int timeoutMs);

    [LoggerMessage(300, LogLevel.Information, "Created topic {Topic} with {Partitions} partitions")]
    public static partial void TopicCreated(ILogger logger, string topic, int partitions);

    [LoggerMessage(301, LogLevel.Information, "Deleted topic {Topic}")]
    public static partial void TopicDeleted(ILogger logger, string topic);

    [LoggerMessage(302, LogLevel.Information, "Topic {Topic} now has {Partitions} partitions")]
    public static partial void PartitionsAdded(ILogger logger, string topic, int partitions);

    [LoggerMessage(303, LogLevel.Error, "The metadata could not be changed")]
    public static partial void MetadataChangeFailed(ILogger logger, Exception exception);

    [LoggerMessage(305, LogLevel.Warning, "The log {Topic}-{Partition} in the data folder belongs to no topic; it is left alone")]
    public static partial void LogWithoutTopic(ILogger logger, string topic, int partition);

    [LoggerMessage(304, LogLevel.Warning, "The folders of deleted topic {Topic} could not be removed; the next start tries again")]
    public static partial void TopicFoldersRemain(ILogger logger, Exception exception, string topic);

    [LoggerMessage(400, LogLevel.Information, "Opened {Logs} partition logs; the last stop was clean: {Clean}")]
    public static partial void LogsOpened(ILogger logger, int logs, bool clean);

    [LoggerMessage(401, LogLevel.Warning, "Log {Log}: cut at offset {EndOffset}; {Bytes} torn or corrupt bytes removed")]
    public static partial void LogTruncated(ILogger logger, string log, long endOffset, long bytes);

    [LoggerMessage(402, LogLevel.Warning, "Log {Log}: removed the segment at offset {BaseOffset}, which lies behind corrupt bytes")]
    public static partial void SegmentRemoved(ILogger logger, string log, long baseOffset);

    [LoggerMessage(403, LogLevel.Warning, "Log {Log}: the producer snapshot at offset {Offset} is not readable; the state is made from the log")]
    public static partial void SnapshotIgnored(ILogger logger, string log, long offset);

    [LoggerMessage(404, LogLevel.Error, "Log {Log}: {Operation} failed")]
    public static partial void LogOperationFailed(ILogger logger, Exception exception, string log, string operation);

    [LoggerMessage(405, LogLevel.Information, "Log {Log}: deleted {Segments} segments; it starts at offset {StartOffset}")]
    public static partial void SegmentsDeleted(ILogger logger, string log, int segments, long startOffset);

    [LoggerMessage(406, LogLevel.Information, "Log {Log}: new segment at offset {BaseOffset}")]
    public static partial void SegmentRolled(ILogger logger, string log, long baseOffset);

    [LoggerMessage(407, LogLevel.Warning, "Data folder {Directory}: {File} is not readable and is ignored")]
    public static partial void CheckpointIgnored(ILogger logger, string directory, string file);

    [LoggerMessage(408, LogLevel.Information, "Log {Log}: compacted up to offset {Offset}, {BytesBefore} bytes to {BytesAfter}")]
    public static partial void LogCompacted(ILogger logger, string log, long offset, long bytesBefore, long bytesAfter);

    [LoggerMessage(409, LogLevel.Error, "Log {Log} cannot be compacted and is left as it is until the next start")]
    public static partial void LogUncleanable(ILogger logger, Exception exception, string log);

    [LoggerMessage(410, LogLevel.Warning, "Log {Log}: completed the replacement of the segments from offset {BaseOffset} to {EndOffset}, which a crash interrupted")]
    public static partial void ReplacementCompleted(ILogger logger, string log, long baseOffset, long endOffset);
}
