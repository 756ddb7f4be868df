using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Streams.Core;

namespace Streams.State.Tests.Support;

/// <summary>
/// This test program started again, to write a store without end until it is killed. What it commits is known: in commit n every key k below
/// <see cref="KeyCount"/> with k % 7 == n % 7 gets n, and the changelog's end is n times that number of records.
/// </summary>
internal static class CrashingChild
{
    public const int KeyCount = 21_000;
    public const int RecordsPerCommit = KeyCount / 7;

    private const string FolderVariable = "STREAMS_STATE_TESTS_CRASHING_CHILD";

    /// <summary>Starts it over a folder, lets it commit so often, and kills it.</summary>
    /// <returns>The last commit that it is known to have made; it may be a few further.</returns>
    public static int RunAndKill(string folder, int commits)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };

        // Under the dotnet host the program is its first argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(CrashingChild).Assembly.Location);
        start.Environment[FolderVariable] = folder;
        using var child = Process.Start(start)!;
        var last = 0;
        while (last < commits)
        {
            var line = child.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The child ended by itself after commit {last}.");
            last = int.Parse(line, CultureInfo.InvariantCulture);
        }

        child.Kill();
        child.WaitForExit();
        return last;
    }

    [ModuleInitializer]
    internal static void WriteUntilKilled()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { } folder) return;
        var context = new StoreContext(folder);
        context.Log.Discard = true;
        var store = Stores.TimestampedKeyValueStoreBuilder(Stores.PersistentTimestampedKeyValueStore("s"), Serdes.Int32, Serdes.Int64).Build();
        store.Init(context);
        for (var commit = 1; ; commit++)
        {
            for (var key = commit % 7; key < KeyCount; key += 7) store.Put(key, new ValueAndTimestamp<long>(commit, commit));
            store.Commit((long)commit * RecordsPerCommit);
            Console.WriteLine(commit.ToString(CultureInfo.InvariantCulture));
        }
    }
}
