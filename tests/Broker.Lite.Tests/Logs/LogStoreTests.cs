using System.Globalization;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite.Tests.Logs;

public sealed class LogStoreTests : IDisposable
{
    private static readonly Guid s_id = Guid.Parse("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");

    private readonly string _path = LogFixture.CreateFolder();
    private readonly ManualTime _time = new();

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Logs_and_their_starts_survive_a_clean_stop_and_a_crash()
    {
        LogStore store = Open();
        IPartitionLog log = store.Create("my-topic.v1", 3, s_id, new LogConfig());
        Assert.Same(log, store.Create("my-topic.v1", 3, s_id, new LogConfig()));
        log.Append(LogFixture.Batch(10));
        Assert.Equal(ErrorCode.None, log.DeleteRecords(4));
        foreach (bool clean in new[] { true, false, true })
        {
            Stop(store, clean);
            Assert.Equal(clean, File.Exists(Path.Combine(_path, ".kafka_cleanshutdown")));
            store = Open();
            Assert.False(File.Exists(Path.Combine(_path, ".kafka_cleanshutdown")));
            log = Assert.Single(store.Logs);
            Assert.Equal(("my-topic.v1", 3, s_id), (log.Topic, log.Partition, log.TopicId));
            Assert.Equal((4, 10), (log.LogStartOffset, log.LogEndOffset));
        }

        store.Dispose();
    }

    [Fact]
    public void Files_have_kafkas_names_and_contents()
    {
        using (LogStore store = Open())
            store.Create("t", 0, s_id, new LogConfig()).Append(LogFixture.Batch(1));
        string folder = Path.Combine(_path, "t-0");
        Assert.Equal(
            ["00000000000000000000.index", "00000000000000000000.log", "00000000000000000000.timeindex", "00000000000000000001.snapshot", "leader-epoch-checkpoint", "partition.metadata"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("version: 0\ntopic_id: qqqqqru7zMzd3e7u7u7u7g\n", File.ReadAllText(Path.Combine(folder, "partition.metadata")));
        Assert.Equal("0\n1\n0 0\n", File.ReadAllText(Path.Combine(folder, "leader-epoch-checkpoint")));
        Assert.Equal("0\n1\nt 0 1\n", File.ReadAllText(Path.Combine(_path, "recovery-point-offset-checkpoint")));
        Assert.Equal("0\n1\nt 0 0\n", File.ReadAllText(Path.Combine(_path, "log-start-offset-checkpoint")));
        Assert.Equal(12, new FileInfo(Path.Combine(folder, "00000000000000000000.timeindex")).Length);
    }

    [Fact]
    public void Second_process_is_kept_out_of_the_folder()
    {
        using LogStore store = Open();
        Assert.Contains("another broker", Assert.Throws<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_of_many_partitions_is_deleted_with_one_rewrite_of_the_checkpoints()
    {
        LogStore store = Open();
        for (int partition = 0; partition < 200; partition++)
            store.Create("wide", partition, s_id, new LogConfig()).Append(LogFixture.Batch(1));
        store.Create("other", 0, Guid.NewGuid(), new LogConfig()).Append(LogFixture.Batch(2));
        store.RunMaintenance(withRetention: true);
        int writes = 0;
        using (var watcher = new FileSystemWatcher(_path, "*checkpoint"))
        {
            var last = new TaskCompletionSource();
            watcher.Renamed += (_, renamed) =>
            {
                if (renamed.Name is "log-start-offset-checkpoint")
                    Interlocked.Increment(ref writes);
                if (renamed.Name is "end-checkpoint")
                    last.TrySetResult();
            };
            watcher.EnableRaisingEvents = true;
            Assert.Equal(200, store.DeleteTopic("wide", 300));
            Assert.Equal(0, store.DeleteTopic("wide", 300));
            await File.WriteAllTextAsync(Path.Combine(_path, "end"), "", TestContext.Current.CancellationToken);
            File.Move(Path.Combine(_path, "end"), Path.Combine(_path, "end-checkpoint")); // events come in order
            await last.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, writes);
        Assert.DoesNotContain("wide", await File.ReadAllTextAsync(Path.Combine(_path, "recovery-point-offset-checkpoint"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Stop(store, clean: false);
        store = Open();
        Assert.Equal(["other"], store.Logs.Select(log => log.Topic));
        store.Dispose();
    }

    [Fact]
    public void Deleted_log_is_gone_and_its_start_does_not_come_back_with_a_new_one()
    {
        LogStore store = Open();
        IPartitionLog log = store.Create("t", 0, s_id, new LogConfig());
        log.Append(LogFixture.Batch(10));
        log.DeleteRecords(10);
        Assert.True(store.Delete("t", 0));
        Assert.False(store.Delete("t", 0));
        Assert.Null(store.Find("t", 0));
        Assert.Empty(Directory.GetDirectories(_path));
        Assert.Equal(ErrorCode.KafkaStorageError, log.Append(LogFixture.Batch(1)).Error);

        store.Create("t", 0, Guid.NewGuid(), new LogConfig()).Append(LogFixture.Batch(3));
        Stop(store, clean: false);
        store = Open();
        Assert.Equal((0, 3), (store.Find("t", 0)!.LogStartOffset, store.Find("t", 0)!.LogEndOffset));
        store.Dispose();
    }

    [Fact]
    public void Half_deleted_folder_and_strange_names_do_not_hinder_the_start()
    {
        using (LogStore store = Open())
            store.Create("t", 0, s_id, new LogConfig()).Append(LogFixture.Batch(1));
        Directory.CreateDirectory(Path.Combine(_path, "old-0.0123-delete"));
        Directory.CreateDirectory(Path.Combine(_path, "not a log"));
        Directory.CreateDirectory(Path.Combine(_path, "t-01"));
        File.WriteAllText(Path.Combine(_path, "log-start-offset-checkpoint"), "garbage");
        using LogStore again = Open();
        Assert.Single(again.Logs);
        Assert.False(Directory.Exists(Path.Combine(_path, "old-0.0123-delete")));
        Assert.True(Directory.Exists(Path.Combine(_path, "not a log")));
    }

    [Fact]
    public void Log_of_another_topic_id_is_not_taken_over()
    {
        using LogStore store = Open();
        store.Create("t", 0, s_id, new LogConfig());
        Assert.Throws<InvalidOperationException>(() => store.Create("t", 0, Guid.NewGuid(), new LogConfig()));
    }

    [Fact]
    public void Maintenance_applies_retention_and_moves_the_recovery_point()
    {
        using LogStore store = Open();
        IPartitionLog log = store.Create("t", 0, s_id, new LogConfig { SegmentBytes = 1000, RetentionMs = 1000 });
        for (int i = 0; i < 20; i++)
            log.Append(LogFixture.Batch(1, timestamp: _time.NowMs, valueBytes: 100));
        store.RunMaintenance(withRetention: true);
        string point = File.ReadAllLines(Path.Combine(_path, "recovery-point-offset-checkpoint"))[2].Split(' ')[2];
        Assert.InRange(long.Parse(point, CultureInfo.InvariantCulture), 1, 19);
        _time.NowMs += 5000;
        store.RunMaintenance(withRetention: true);
        Assert.Equal(20, log.LogStartOffset);
    }

    [Fact]
    public void Memory_store_keeps_nothing_on_disk()
    {
        using LogStore store = LogStore.InMemory(_time, NullLogger.Instance);
        IPartitionLog log = store.Create("t", 0, s_id, new LogConfig());
        Assert.Equal(0, log.Append(LogFixture.Batch(2)).BaseOffset);
        store.RunMaintenance(withRetention: true);
        Assert.True(store.Delete("t", 0));
        Assert.Empty(store.Logs);
    }

    private static void Stop(LogStore store, bool clean)
    {
        if (clean)
            store.Dispose();
        else
            store.Abandon();
    }

    private LogStore Open() => LogStore.OpenDirectory(_path, _ => new LogConfig(), _time, NullLogger.Instance);
}
