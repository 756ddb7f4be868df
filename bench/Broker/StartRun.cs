using System.Buffers.Binary;
using System.Globalization;
using Kafka.Protocol.Records;

namespace Bench.Broker;

/// <summary>
/// How long the broker takes from nothing to ready, and what it costs when idle: with an empty folder, with a log of 10 GB, with 1,000 partitions.
/// </summary>
internal static class StartRun
{
    private const int SegmentBytes = 1 << 30;
    private const int EntryEveryBytes = 4096;

    public static async Task RunAsync(string folder, int gigabytes, int partitions, TextWriter output)
    {
        string empty = Path.Combine(folder, "empty");
        for (int round = 0; round < 3; round++)
        {
            Delete(empty);
            await MeasureAsync("empty", empty, idle: round == 2, output);
        }

        string large = Path.Combine(folder, "large");
        Delete(large);
        await CreateTopicAsync(large, "large", 1);
        Grow(Path.Combine(large, "large-0"), gigabytes);
        for (int round = 0; round < 2; round++)
            await MeasureAsync($"{gigabytes}-gb", large, idle: round == 1, output);
        Delete(large);

        string many = Path.Combine(folder, "many");
        Delete(many);
        await CreateTopicAsync(many, "many", partitions);
        await ProduceRun.FillAsync(many, "many", partitions, partitions * 100L);
        for (int round = 0; round < 2; round++)
            await MeasureAsync($"{partitions}-partitions", many, idle: round == 1, output);
        Delete(many);
    }

    private static async Task MeasureAsync(string name, string folder, bool idle, TextWriter output)
    {
        await using BrokerUnderTest broker = await BrokerUnderTest.StartAsync(folder);
        double startCpu = broker.CpuSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"broker-start {name} ready_ms={broker.StartTime.TotalMilliseconds:F0} start_cpu_ms={startCpu * 1000:F0} rss_mb={broker.ResidentMb:F0}"));
        if (!idle)
            return;
        // The compiler is at work for a while after the start.
        await Task.Delay(TimeSpan.FromSeconds(10));
        const int seconds = 20;
        double before = broker.CpuSeconds;
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"broker-start {name} idle_cpu_percent={(broker.CpuSeconds - before) * 100 / seconds:F2} idle_rss_mb={broker.ResidentMb:F0}"));
    }

    private static async Task CreateTopicAsync(string folder, string topic, int partitions)
    {
        await using BrokerUnderTest broker = await BrokerUnderTest.StartAsync(folder);
        await ProduceRun.CreateTopicAsync(broker.Bootstrap, topic, partitions);
    }

    /// <summary>
    /// Puts full segments with full indexes in front of the log's end. Their data is a hole in the file behind a first batch: what a start looks at is
    /// there, what it must not read is not.
    /// </summary>
    private static void Grow(string folder, int gigabytes)
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions());
        builder.TryAppend(1_700_000_000_000, NullableBytes.Null, new byte[100]);
        byte[] batch = builder.Build().ToArray();
        foreach (string file in Directory.GetFiles(folder, "0*"))
            File.Delete(file);
        const int entries = SegmentBytes / EntryEveryBytes;
        for (int segment = 0; segment <= gigabytes; segment++)
        {
            long baseOffset = segment * (long)(entries * 40);
            string name = Path.Combine(folder, baseOffset.ToString("D20", CultureInfo.InvariantCulture));
            RecordBatchPatch.SetBaseOffset(batch, baseOffset);
            RecordBatchPatch.SetPartitionLeaderEpoch(batch, 0);
            bool isActive = segment == gigabytes;
            using (FileStream log = File.Create(name + ".log"))
            {
                log.Write(batch);
                log.SetLength(isActive ? batch.Length : SegmentBytes);
            }

            int count = isActive ? 0 : entries - 1;
            var offsets = new byte[count * 8];
            var times = new byte[Math.Max(count, 1) * 12];
            for (int i = 0; i < Math.Max(count, 1); i++)
            {
                if (count > 0)
                {
                    BinaryPrimitives.WriteInt32BigEndian(offsets.AsSpan(i * 8), (i + 1) * 40);
                    BinaryPrimitives.WriteInt32BigEndian(offsets.AsSpan((i * 8) + 4), (i + 1) * EntryEveryBytes);
                }

                BinaryPrimitives.WriteInt64BigEndian(times.AsSpan(i * 12), 1_700_000_000_000 + (segment * (long)entries) + i);
                BinaryPrimitives.WriteInt32BigEndian(times.AsSpan((i * 12) + 8), count > 0 ? (i + 1) * 40 : 0);
            }

            File.WriteAllBytes(name + ".index", offsets);
            File.WriteAllBytes(name + ".timeindex", times);
        }
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
