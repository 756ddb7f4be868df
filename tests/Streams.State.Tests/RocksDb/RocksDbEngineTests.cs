using System.Runtime.CompilerServices;
using Streams.Core;
using Streams.State.RocksDb;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.RocksDb;

public sealed class RocksDbEngineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engine-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Forgotten_iterators_are_freed_and_reported_with_their_origin()
    {
        var origins = new List<string>();
        void Note(string store, System.Diagnostics.StackTrace? origin)
        {
            lock (origins) origins.Add($"{store} {origin}");
        }

        var tracked = ForgottenIterators.TrackOrigins;
        ForgottenIterators.TrackOrigins = true;
        ForgottenIterators.Found += Note;
        try
        {
            using var engine = Open("leaky");
            ForgetIterators(engine);
            for (var attempt = 0; attempt < 10 && engine.OpenIterators > 0; attempt++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.Equal(0, engine.OpenIterators);
            lock (origins)
            {
                var ours = origins.Where(text => text.StartsWith("leaky ", StringComparison.Ordinal)).ToList();
                Assert.Equal(10, ours.Count);
                Assert.Contains(nameof(ForgetIterators), ours[0], StringComparison.Ordinal);
            }
        }
        finally
        {
            ForgottenIterators.Found -= Note;
            ForgottenIterators.TrackOrigins = tracked;
        }
    }

    [Fact]
    public void Forgotten_iterators_are_logged_also_when_the_store_is_closed_before_the_collector_comes()
    {
        var log = new LogLines();
        var engine = RocksDbEngine.Open(new StoreContext(_folder) { Logger = log }, "closed early", "key-value");
        ForgetIterators(engine);
        engine.Dispose();
        var deadline = Environment.TickCount64 + 60_000;
        while (!log.Lines.Any(line => line.Contains("8 iterator(s)", StringComparison.Ordinal)) && Environment.TickCount64 < deadline)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Yield();
        }

        // Of ten the first, second, fourth and eighth are worth a line; the thread pool writes them in any order.
        Assert.Equal(["1", "2", "4", "8"], log.Lines.Select(line => line.Split(' ')[2]).Order(StringComparer.Ordinal));
        Assert.All(log.Lines, line => Assert.StartsWith("Warning 318 ", line, StringComparison.Ordinal));
        Assert.All(log.Lines, line => Assert.Contains("store closed early", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Flush_that_fails_in_the_background_is_not_an_unobserved_exception()
    {
        var unobserved = new List<string>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs failure)
        {
            lock (unobserved) unobserved.Add(failure.Exception.ToString());
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            FailToFlush("gone");
            for (var attempt = 0; attempt < 3; attempt++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            lock (unobserved) Assert.DoesNotContain(unobserved, text => text.Contains("'gone'", StringComparison.Ordinal));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
    }

    [Fact]
    public void Options_of_RocksDb_are_taken_by_its_own_names()
    {
        var options = new Dictionary<string, string>
        {
            ["compression"] = "kLZ4Compression",
            ["compaction_style"] = "kCompactionStyleLevel",
            ["write_buffer_size"] = "1234567",
            ["max_background_jobs"] = "3",
            ["block_based_table_factory"] = "block_size=16384;cache_index_and_filter_blocks=false",
        };
        using (var engine = RocksDbEngine.Open(new StoreContext(_folder) { RocksDbOptions = options }, "tuned", "key-value"))
        {
            for (var i = 0; i < 1000; i++) engine.BatchPut(System.Text.Encoding.UTF8.GetBytes($"key-{i:d6}"), new byte[100]);
            engine.BatchWrite(1, -1);
            engine.Persist();
        }

        var file = Directory.EnumerateFiles(Path.Combine(_folder, "rocksdb", "tuned"), "OPTIONS-*").Order(StringComparer.Ordinal).Last();
        var written = File.ReadAllText(file);
        var data = written[written.IndexOf("[CFOptions \"default\"]", StringComparison.Ordinal)..written.IndexOf("[CFOptions \"offsets\"]", StringComparison.Ordinal)];
        string[] taken = ["compression=kLZ4Compression", "compaction_style=kCompactionStyleLevel", "write_buffer_size=1234567", "block_size=16384", "cache_index_and_filter_blocks=false"];
        Assert.All(taken, option => Assert.Contains(option, data, StringComparison.Ordinal));
        Assert.Contains("max_background_jobs=3", written, StringComparison.Ordinal);

        // What was not named is the library's: partitioned filters, in the cache that all stores share.
        Assert.Contains("partition_filters=true", data, StringComparison.Ordinal);

        using var plain = Open("tuned");
        Assert.False(plain.IsEmpty);
        Assert.Equal(1, plain.Offset);
    }

    [Theory]
    [InlineData("compresion", "kLZ4Compression", "compresion")]
    [InlineData("compression", "lz4", "compression")]
    [InlineData("write_buffer_size", "much", "write_buffer_size=much")]
    [InlineData("write_buffer_size", "", "write_buffer_size")]
    [InlineData("a=b;c", "1", "a=b;c")]
    [InlineData("comparator", "leveldb.BytewiseComparator", "order")]
    [InlineData("atomic_flush", "true", "flushes")]
    [InlineData("compaction_style", "kCompactionStyleFIFO", "deletes")]
    public void Options_that_RocksDb_does_not_know_or_stores_cannot_live_with_are_refused(string name, string value, string said)
    {
        var error = Assert.Throws<StateStoreException>(() => RocksDbEngine.Open(new StoreContext(_folder) { RocksDbOptions = new() { [name] = value } }, "tuned", "key-value"));
        Assert.Contains("'tuned'", error.Message, StringComparison.Ordinal);
        Assert.Contains("rocksdb.*", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Open("tuned").Dispose();
    }

    [Fact]
    public void Closing_with_open_iterators_neither_crashes_nor_leaves_a_usable_one()
    {
        var engine = Open("s");
        var iterator = engine.Iterate();
        iterator.SeekToFirst();
        engine.Dispose();
        Assert.Throws<ObjectDisposedException>(() => iterator.Next());
        Assert.Throws<ObjectDisposedException>(() => engine.Iterate());
        iterator.Dispose();
        engine.Dispose();
        using var again = Open("s");
        Assert.True(again.IsEmpty);
    }

    [Fact]
    public void A_folder_in_use_is_refused_with_store_and_folder()
    {
        using var engine = Open("busy");
        var error = Assert.Throws<StateStoreException>(() => Open("busy"));
        Assert.Contains("'busy'", error.Message, StringComparison.Ordinal);
        Assert.Contains(_folder, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_folder_is_refused_with_store_and_folder()
    {
        using (var engine = Open("s"))
        {
            engine.BatchPut("a"u8, "b"u8);
            engine.BatchWrite(1, -1);
            engine.Persist();
        }

        foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder, "rocksdb", "s"), "MANIFEST-*")) File.WriteAllBytes(file, [1, 2, 3]);
        var error = Assert.Throws<StateStoreException>(() => Open("s"));
        Assert.Contains("'s'", error.Message, StringComparison.Ordinal);
        Assert.Contains(_folder, error.Message, StringComparison.Ordinal);
        Assert.Contains("delete", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_data_file_is_an_error_when_it_is_read()
    {
        using (var engine = Open("s"))
        {
            for (var i = 0; i < 1000; i++) engine.BatchPut(System.Text.Encoding.UTF8.GetBytes($"key-{i:d6}"), new byte[100]);
            engine.BatchWrite(1, -1);
            engine.Persist();
        }

        var file = Directory.EnumerateFiles(Path.Combine(_folder, "rocksdb", "s"), "*.sst").OrderByDescending(path => new FileInfo(path).Length).First();
        var bytes = File.ReadAllBytes(file);
        for (var i = 20_000; i < 60_000; i++) bytes[i] ^= 0x55;
        File.WriteAllBytes(file, bytes);

        using var damaged = Open("s");
        var error = Assert.Throws<StateStoreException>(() =>
        {
            using var iterator = damaged.Iterate();
            for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next()) Assert.Equal(100, iterator.Value.Length);
        });
        Assert.Contains(_folder, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_the_folders_place_is_refused()
    {
        File.WriteAllText(Path.Combine(_folder, "rocksdb"), "");
        var error = Assert.Throws<StateStoreException>(() => Open("s"));
        Assert.Contains("'s'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("..")]
    [InlineData("a/b")]
    public void A_name_that_leads_out_of_the_folder_is_refused(string name) => Assert.Throws<StateStoreException>(() => Open(name));

    [Fact]
    public void Another_kind_of_store_in_the_folder_is_refused()
    {
        Open("s").Dispose();
        var error = Assert.Throws<StateStoreException>(() => RocksDbEngine.Open(new StoreContext(_folder), "s", "window"));
        Assert.Contains("key-value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_format_is_refused_with_a_way_out()
    {
        using (var engine = Open("s")) engine.WriteFormat("key-value", RocksDbEngine.FormatVersion + 1);
        var error = Assert.Throws<StateStoreException>(() => Open("s"));
        Assert.Contains("format 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("changelog", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_something_else_wrote_is_refused()
    {
        using (var engine = Open("s"))
        {
            engine.BatchPut("a"u8, "b"u8);
            engine.BatchWrite(1, -1);
            engine.Persist();
            engine.WriteFormat("key-value", version: -5);
        }

        Assert.Contains("damaged", Assert.Throws<StateStoreException>(() => Open("s")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Flushes_of_its_own_and_flushes_of_full_memtables_do_not_disturb_each_other()
    {
        // The smallest memtables there are: most batches fill several while the flush of an earlier one runs.
        var context = new StoreContext(_folder, memory: new StateMemory(16 << 20));
        var key = new byte[4];
        var value = new byte[2000];
        const int Batches = 60;
        using (var engine = RocksDbEngine.Open(context, "s", "key-value"))
        {
            for (var batch = 1; batch <= Batches; batch++)
            {
                for (var i = 0; i < 600; i++)
                {
                    System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key, i * 7);
                    engine.BatchPut(key, value);
                }

                engine.BatchWrite(batch, batch);
            }

            engine.Persist();
        }

        using var again = RocksDbEngine.Open(context, "s", "key-value");
        Assert.Equal((Batches, Batches), (again.Offset, again.StreamTime));
    }

    [Fact]
    public void Offset_and_stream_time_survive()
    {
        using (var engine = Open("s"))
        {
            Assert.Null(engine.Offset);
            engine.BatchPut("a"u8, default);
            engine.BatchWrite(7, 1234);
            engine.BatchWrite(9, 1234);
            engine.Persist();
        }

        using var again = Open("s");
        Assert.Equal(9, again.Offset);
        Assert.Equal(1234, again.StreamTime);
        Assert.False(again.IsEmpty);
        var value = new SerdeBuffer();
        Assert.True(again.TryGet("a"u8, value));
        Assert.Equal(0, value.WrittenCount);
        Assert.False(again.TryGet("b"u8, value));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetIterators(RocksDbEngine engine)
    {
        for (var i = 0; i < 10; i++) engine.Iterate().SeekToFirst();
    }

    // A method of its own, so that nothing keeps the engine.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FailToFlush(string name)
    {
        var engine = Open(name);
        Directory.Delete(Path.Combine(_folder, "rocksdb", name), recursive: true);
        engine.BatchPut("key"u8, new byte[2 << 20]);
        engine.BatchWrite(1, -1);
        engine.Dispose();
    }

    private RocksDbEngine Open(string name) => RocksDbEngine.Open(new StoreContext(_folder), name, "key-value");
}
