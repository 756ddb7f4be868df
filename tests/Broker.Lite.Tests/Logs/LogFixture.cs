using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite.Tests.Logs;

/// <summary>One log on disk or in memory that can be closed, abandoned as by kill -9, and opened again.</summary>
internal sealed class LogFixture : IDisposable
{
    private readonly string? _path;
    private readonly LogContext _context;

    public LogFixture(bool onDisk, LogConfig? config = null, LogDirectory? storage = null)
    {
        Config = config ?? new LogConfig();
        _path = onDisk ? CreateFolder() : null;
        Storage = new FaultyDirectory(storage ?? (onDisk ? new DiskLogDirectory(_path!) : new MemoryLogDirectory()));
        _context = new LogContext(Time, NullLogger.Instance, () =>
        {
            if (FailCheckpoint)
                throw new IOException("no space for the checkpoint");
            SavedStart = Log?.LogStartOffset ?? 0;
        });
        Log = Open(default);
    }

    /// <summary>A new folder, in shared memory where there is such a thing: these tests restart thousands of logs, and forcing each to a real disk takes long.</summary>
    public static string CreateFolder()
    {
        string parent = System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        return System.IO.Directory.CreateDirectory(Path.Combine(parent, $"broker-lite-test-{Guid.NewGuid():N}")).FullName;
    }

    public ManualTime Time { get; } = new();

    public FaultyDirectory Storage { get; }

    public LogConfig Config { get; set; }

    public PartitionLog Log { get; private set; }

    public long SavedStart { get; set; }

    public bool FailCheckpoint { get; set; }

    public static byte[] Batch(
        int count = 1,
        long timestamp = 1_700_000_000_000,
        int valueBytes = 20,
        CompressionType compression = CompressionType.None,
        long producerId = -1,
        short epoch = -1,
        int sequence = -1,
        bool transactional = false)
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions
        {
            Compression = compression,
            ProducerId = producerId,
            ProducerEpoch = epoch,
            BaseSequence = sequence,
            IsTransactional = transactional,
        });
        for (int i = 0; i < count; i++)
            builder.TryAppend(timestamp + i, "key"u8.ToArray(), new byte[valueBytes]);
        return builder.Build().ToArray();
    }

    public static byte[] Batch(ReadOnlySpan<long> timestamps, CompressionType compression = CompressionType.None)
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { Compression = compression });
        foreach (long timestamp in timestamps)
            builder.TryAppend(timestamp, "key"u8.ToArray(), "some value, the same each time"u8.ToArray());
        return builder.Build().ToArray();
    }

    public long Append(byte[] batch, AppendOrigin origin = AppendOrigin.Client)
    {
        // What the transaction coordinator does when a producer adds the partition.
        if (RecordBatchView.TryRead(batch, out RecordBatchView view) == RecordBatchStatus.Valid && view.Header is { IsTransactional: true, IsControl: false })
            Log.AdmitTransaction(view.Header.ProducerId, view.Header.ProducerEpoch);
        AppendResult result = Log.Append(batch, origin);
        Assert.True(result.Error == ErrorCode.None, $"{result.Error}: {result.ErrorMessage}");
        return result.BaseOffset;
    }

    /// <summary>Opens the log again on what an owner that is gone left, whatever state that is.</summary>
    public void Open(bool clean, long firstDirtyOffset = 0)
    {
        Log.Abandon();
        Log = Open(new LogOpening(clean, SavedStart, Log.RecoveryPoint, firstDirtyOffset));
    }

    /// <summary>Closes the log cleanly and opens it again.</summary>
    public void Restart()
    {
        bool clean = Log.Close();
        Log = Open(new LogOpening(clean, SavedStart, Log.RecoveryPoint));
    }

    /// <summary>Lets go of the log as the end of the process would, and opens it again.</summary>
    public void Crash()
    {
        Log.Abandon();
        Log = Open(new LogOpening(false, SavedStart, Log.RecoveryPoint));
    }

    /// <summary>Everything readable, as batches in order: base offset and the bytes from the checksum on, which appending does not change.</summary>
    public List<(long Offset, string Body)> ReadAll(int maxBytes = 1 << 20)
    {
        var batches = new List<(long, string)>();
        long offset = Log.LogStartOffset;
        while (true)
        {
            using LogSlice slice = Log.Read(offset, maxBytes, minOneBatch: true);
            Assert.Equal(ErrorCode.None, slice.Error);
            if (slice.Records.IsEmpty)
            {
                Assert.Equal(Log.HighWatermark, offset);
                return batches;
            }

            ReadOnlySpan<byte> data = slice.Records.Span;
            while (!data.IsEmpty)
            {
                RecordBatchView batch = RecordBatchView.Read(data);
                Assert.Equal(Log.LeaderEpoch, batch.Header.PartitionLeaderEpoch);
                batches.Add((batch.Header.BaseOffset, Convert.ToHexString(batch.Bytes[17..])));
                offset = batch.Header.LastOffset + 1;
                data = data[batch.Bytes.Length..];
            }
        }
    }

    public void Dispose()
    {
        Storage.IsFull = false;
        Log.Abandon();
        if (_path is not null)
            System.IO.Directory.Delete(_path, recursive: true);
    }

    private PartitionLog Open(LogOpening opening) =>
        PartitionLog.Open("topic", 0, Guid.Parse("11111111-2222-3333-4444-555555555555"), Storage, Config, _context, opening);
}
