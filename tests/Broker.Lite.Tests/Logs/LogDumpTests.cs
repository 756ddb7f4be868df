using System.Globalization;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite.Tests.Logs;

/// <summary>The files of a partition in the text form of Kafka's dump tool.</summary>
public sealed class LogDumpTests
{
    [Fact]
    public void Folder_of_a_partition_is_printed_as_kafka_prints_it()
    {
        string folder = LogFixture.CreateFolder();
        try
        {
            var context = new LogContext(new ManualTime(), NullLogger.Instance, () => { });
            PartitionLog log = PartitionLog.Open("topic", 0, Guid.NewGuid(), new DiskLogDirectory(folder), new LogConfig(), context, default);
            Append(log, new RecordBatchOptions { Compression = CompressionType.Gzip }, AppendOrigin.Client);
            Append(log, new RecordBatchOptions { ProducerId = 5, ProducerEpoch = 1, BaseSequence = 0, IsTransactional = true }, AppendOrigin.Client);
            Assert.Equal(ErrorCode.None, log.Append(TransactionMarker.Build(ControlRecordType.Abort, 5, 1, 3, 1_700_000_000_009), AppendOrigin.Coordinator).Error);
            log.Close();

            using var output = new StringWriter();
            Assert.True(LogDump.Dump(folder, new LogDumpOptions { PrintRecords = true }, output));
            string[] lines = [.. output.ToString().Split('\n').Select(line => System.Text.RegularExpressions.Regex.Replace(line, "crc: [0-9]+", "crc: N"))];
            string log0 = Path.Combine(folder, "00000000000000000000");
            int first = Array.IndexOf(lines, $"Dumping {log0}.log") + 1;
            Assert.Equal("Log starting offset: 0", lines[first]);
            Assert.StartsWith(
                "baseOffset: 0 lastOffset: 1 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000001 size: ",
                lines[first + 1],
                StringComparison.Ordinal);
            Assert.EndsWith(" magic: 2 compresscodec: gzip crc: N isvalid: true", lines[first + 1], StringComparison.Ordinal);
            Assert.Equal("| offset: 0 CreateTime: 1700000000000 keySize: 1 valueSize: 2 sequence: -1 headerKeys: [h] key: k payload: v0", lines[first + 2]);
            Assert.Equal("| offset: 1 CreateTime: 1700000000001 keySize: -1 valueSize: -1 sequence: -1 headerKeys: []", lines[first + 3]);
            Assert.Equal("| offset: 3 CreateTime: 1700000000001 keySize: -1 valueSize: -1 sequence: 1 headerKeys: []", lines[first + 6]);
            Assert.Equal("| offset: 4 CreateTime: 1700000000009 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: ABORT coordinatorEpoch: 3", lines[first + 8]);
            Assert.Contains("version: 0 producerId: 5 firstOffset: 2 lastOffset: 4 lastStableOffset: 5", lines);
            Assert.Contains("timestamp: 1700000000009 offset: 4", lines);
            Assert.Contains(lines, line => line.StartsWith("producerId: 5 producerEpoch: 1 coordinatorEpoch: 3 currentTxnFirstOffset: None lastTimestamp: ", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Damage_is_said_and_never_thrown()
    {
        string folder = LogFixture.CreateFolder();
        try
        {
            string path = Path.Combine(folder, "00000000000000000007.log");
            byte[] batch = LogFixture.Batch(3);
            byte[] bytes = [.. batch, .. batch];
            for (int seed = 0; seed < 300; seed++)
            {
                var random = new Random(seed);
                byte[] damaged = [.. bytes];
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(path, damaged[..random.Next(damaged.Length + 1)]);
                using var output = new StringWriter(CultureInfo.InvariantCulture);
                LogDump.Dump(path, new LogDumpOptions { PrintRecords = true }, output);
            }

            File.WriteAllBytes(path, bytes[..^1]);
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            Assert.False(LogDump.Dump(path, new LogDumpOptions(), text));
            Assert.Contains($"Found {batch.Length - 1} invalid bytes at the end of 00000000000000000007.log", text.ToString(), StringComparison.Ordinal);
            Assert.Throws<FileNotFoundException>(() => LogDump.Dump(path + "x", new LogDumpOptions(), text));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Append(PartitionLog log, RecordBatchOptions options, AppendOrigin origin)
    {
        using var builder = new RecordBatchBuilder(options);
        builder.TryAppend(1_700_000_000_000, "k"u8.ToArray(), "v0"u8.ToArray(), [new RecordHeader("h", "x"u8.ToArray())]);
        builder.TryAppend(1_700_000_000_001, NullableBytes.Null, NullableBytes.Null);
        if (options.IsTransactional)
            log.AdmitTransaction(options.ProducerId, options.ProducerEpoch);
        Assert.Equal(ErrorCode.None, log.Append(builder.Build().ToArray(), origin).Error);
    }
}
