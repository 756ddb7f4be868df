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

    private RocksDbEngine Open(string name) => RocksDbEngine.Open(new StoreContext(_folder), name, "key-value");
}
