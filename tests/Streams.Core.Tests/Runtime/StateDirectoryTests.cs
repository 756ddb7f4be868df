using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-core-tests", Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Folder_is_one_owners_until_it_lets_go()
    {
        using var second = Open();
        using (var first = Open())
        {
            Assert.Equal(Path.Combine(_folder, "app", "0_1"), first.ForTask(new TaskId(0, 1)));
            var failure = Assert.Throws<StateStoreException>(() => second.ForTask(new TaskId(0, 2)));
            Assert.Contains(Path.Combine(_folder, "app"), failure.Message, StringComparison.Ordinal);
            Assert.Throws<StateStoreException>(() => second.ForGlobal("store"));
            Assert.Throws<StateStoreException>(() => second.Wipe(new TaskId(0, 1)));
            Assert.Equal([new TaskId(0, 1)], second.TasksOnDisk());
        }

        Assert.True(Directory.Exists(second.ForTask(new TaskId(0, 2))));
    }

    [Fact]
    public void Tasks_on_disk_are_the_folders_named_like_tasks()
    {
        using var directory = Open();
        Assert.Empty(directory.TasksOnDisk());
        directory.ForTask(new TaskId(3, 4));
        directory.ForGlobal("store");
        Directory.CreateDirectory(Path.Combine(_folder, "app", "1_x"));
        Assert.Equal([new TaskId(3, 4)], directory.TasksOnDisk());
        directory.Wipe(new TaskId(3, 4));
        Assert.Empty(directory.TasksOnDisk());
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../0_1")]
    public void Global_store_stays_in_its_folder(string name)
    {
        using var directory = Open();
        Assert.Throws<StateStoreException>(() => directory.ForGlobal(name));
        Assert.Throws<StateStoreException>(() => directory.WipeGlobal(name));
    }

    [Fact]
    public void Fingerprint_is_kept_and_a_damaged_one_is_as_none()
    {
        using var directory = Open();
        Assert.Null(directory.ReadFingerprint());
        var fingerprint = TopologyFingerprint.Of(new TopologyPlan(
            new Topology().AddSource("s", Options.Texts, "in").AddProcessor("p", () => new PassOn<string, string>(), "s").AddStateStore(new DescribedStore("x"), "p"), "app"));
        directory.WriteFingerprint(fingerprint);
        var read = directory.ReadFingerprint();
        Assert.NotNull(read);
        Assert.Empty(fingerprint.ChangesFrom(read));
        Assert.Equal([Path.Combine(_folder, "app", "topology.json")], Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "app")));

        var good = fingerprint.Encode();
        for (var length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(Path.Combine(_folder, "app", "topology.json"), good.AsSpan(0, length));
            Assert.Null(directory.ReadFingerprint());
        }
    }

    [Fact]
    public void State_that_another_process_has_open_is_neither_cleaned_up_nor_claimed()
    {
        var task = new TaskId(0, 1);
        using var idle = Open();
        using (var owner = Open())
        {
            owner.ForTask(task);
            Assert.Equal(0, idle.CleanUp(TimeSpan.Zero, DateTimeOffset.UtcNow.AddDays(1)));
            Assert.Empty(idle.PositionsOnDisk());
            Assert.True(Directory.Exists(Path.Combine(_folder, "app", "0_1")));
        }

        Assert.Equal([task], idle.PositionsOnDisk().Keys);
        Assert.Equal(1, idle.CleanUp(TimeSpan.Zero, DateTimeOffset.UtcNow.AddDays(1)));
        Assert.Empty(idle.TasksOnDisk());
    }

    [Fact]
    public void Folder_without_tasks_may_be_shared()
    {
        using var first = Open();
        using var second = Open();
        Directory.CreateDirectory(Path.Combine(_folder, "app"));
        Assert.Empty(first.PositionsOnDisk());
        Assert.Equal(0, first.CleanUp(TimeSpan.Zero, DateTimeOffset.UtcNow));
        Assert.True(Directory.Exists(second.ForTask(new TaskId(0, 0))));
    }

    [Fact]
    public void State_of_another_version_is_refused_and_can_be_deleted()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "app", "0_0"));
        File.WriteAllText(Path.Combine(_folder, "app", "format"), "streams state 9");
        using var directory = Open();
        Assert.Contains("streams state 9", Assert.Throws<StateStoreException>(() => directory.ForTask(new TaskId(0, 0))).Message, StringComparison.Ordinal);
        directory.DeleteAll();
        Assert.Empty(directory.TasksOnDisk());
        Assert.True(Directory.Exists(directory.ForTask(new TaskId(0, 0))));
    }

    [Fact]
    public void Folder_that_cannot_be_made_is_named()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "app"));
        var inTheWay = Path.Combine(_folder, "app", "0_0");
        File.WriteAllText(inTheWay, "");
        using var directory = Open();
        Assert.Contains(inTheWay, Assert.Throws<StateStoreException>(() => directory.ForTask(new TaskId(0, 0))).Message, StringComparison.Ordinal);
    }

    private StateDirectory Open() => new(_folder, "app", NullLogger.Instance);
}
