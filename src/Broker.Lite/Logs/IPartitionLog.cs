using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>
/// The log of one partition. All members may be called from any thread: writers take turns, readers never wait for them and no lock is
/// held while a reader's I/O is under way. There is one node, so what is appended is at once below the high watermark. What is
/// acknowledged has been handed to the operating system, and forced to disk where <c>flush.messages</c> says so.
/// </summary>
internal interface IPartitionLog
{
    /// <summary>The topic.</summary>
    string Topic { get; }

    /// <summary>The partition's number.</summary>
    int Partition { get; }

    /// <summary>Id of the topic; <see cref="Guid.Empty"/> when it has none.</summary>
    Guid TopicId { get; }

    /// <summary>The settings in force.</summary>
    LogConfig Config { get; }

    /// <summary>First offset that can be read.</summary>
    long LogStartOffset { get; }

    /// <summary>Offset that the next record gets.</summary>
    long LogEndOffset { get; }

    /// <summary>End of what readers see: the log end, on one node.</summary>
    long HighWatermark { get; }

    /// <summary>First offset of the oldest open transaction, else the high watermark.</summary>
    long LastStableOffset { get; }

    /// <summary>Epoch under which batches are appended; 0 from the start.</summary>
    int LeaderEpoch { get; }

    /// <summary>Bytes in all segments.</summary>
    long SizeBytes { get; }

    /// <summary>
    /// Appends batches as they were sent, after checking them. Base offset, leader epoch and, under LogAppendTime, the timestamp are
    /// changed <em>in the memory given</em>, which the caller must not use in the meantime. Errors are in the result, never thrown.
    /// </summary>
    AppendResult Append(Memory<byte> batches, AppendOrigin origin = AppendOrigin.Client);

    /// <summary>
    /// Reads whole batches from <paramref name="offset"/> on. An offset outside of log start and end is OFFSET_OUT_OF_RANGE; at the end,
    /// the slice is empty. The caller disposes the slice.
    /// </summary>
    /// <param name="offset">Offset of the first record wanted.</param>
    /// <param name="maxBytes">Upper bound in bytes.</param>
    /// <param name="minOneBatch">Whether to give the first batch even if it is larger than <paramref name="maxBytes"/> (KIP-74).</param>
    /// <param name="isolation">Whether to end at the last stable offset and list aborted transactions.</param>
    /// <param name="maySendFile">Whether the caller sends the bytes on through a transport that takes a <see cref="FileMemory"/> as it is.</param>
    LogSlice Read(long offset, int maxBytes, bool minOneBatch, ReadIsolation isolation = ReadIsolation.ReadUncommitted, bool maySendFile = false);

    /// <summary>
    /// The first record, by offset, with a timestamp of at least <paramref name="timestamp"/> (Unix milliseconds): exact within compressed
    /// batches and when timestamps are out of order.
    /// </summary>
    OffsetLookup FindOffsetForTimestamp(long timestamp, ReadIsolation isolation = ReadIsolation.ReadUncommitted);

    /// <summary>The first record with the largest timestamp of the log (ListOffsets -3, KIP-734).</summary>
    OffsetLookup FindMaxTimestamp();

    /// <summary>Where <paramref name="leaderEpoch"/> ends.</summary>
    EpochEndOffset FindEpochEnd(int leaderEpoch);

    /// <summary>
    /// Moves the log start to <paramref name="beforeOffset"/> (-1 = high watermark) if it lies ahead, and deletes segments below. Gives
    /// OFFSET_OUT_OF_RANGE beyond the high watermark; KAFKA_STORAGE_ERROR if it could not be made durable.
    /// </summary>
    ErrorCode DeleteRecords(long beforeOffset);

    /// <summary>Deletes segments that retention by time or size no longer keeps; returns how many.</summary>
    int ApplyRetention();

    /// <summary>Forces what was appended to disk.</summary>
    ErrorCode Flush();

    /// <summary>Takes over new settings; they hold from the next append on.</summary>
    void UpdateConfig(LogConfig config);

    /// <summary>Appends under <paramref name="leaderEpoch"/> from now on; a smaller one than before is ignored.</summary>
    void SetLeaderEpoch(int leaderEpoch);

    /// <summary>
    /// Lets a producer write to this log in a transaction. Clients' transactional batches of producers that were not let in are
    /// INVALID_TXN_STATE, and the marker that ends the transaction shuts the producer out again: checked and changed between appends, so
    /// that no batch can slip in after the marker and open a transaction that nobody ends. Not remembered across restarts.
    /// </summary>
    void AdmitTransaction(long producerId, short producerEpoch);

    /// <summary>The producers whose state is remembered.</summary>
    IReadOnlyList<ProducerDescription> DescribeProducers();

    /// <summary>
    /// Has <paramref name="listener"/> told of changes until it is removed. To wait without losing a wake-up: add, look at the log once
    /// more, then wait.
    /// </summary>
    void AddListener(ILogListener listener);

    /// <summary>Ends <see cref="AddListener"/>. A call under way may still arrive.</summary>
    void RemoveListener(ILogListener listener);
}
