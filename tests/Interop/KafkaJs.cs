using System.Text;

namespace Interop;

/// <summary>kafkajs, the client of Node.js, driven by <c>clients/kafkajs/client.js</c> where npm has installed it.</summary>
internal static class KafkaJs
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(90);
    private static readonly string _folder = FindFolder();

    /// <summary>Why it cannot be used here; null if it can.</summary>
    public static string? ReasonMissing { get; } = FindReason();

    /// <summary>Skips the running test, with the reason, where node or kafkajs is not installed.</summary>
    public static void SkipIfMissing() => Assert.SkipWhen(ReasonMissing is not null, ReasonMissing ?? "");

    public static async Task<IReadOnlyList<string>> ChecksAsync(CancellationToken cancellation) =>
        (await RunAsync(null, cancellation, "nowhere:0", "list")).ShouldSucceed().Lines;

    public static async Task CheckAsync(string bootstrap, string name, string topic, CancellationToken cancellation) =>
        (await RunAsync(null, cancellation, bootstrap, "check", name, topic)).ShouldSucceed();

    public static async Task ProduceAsync(string bootstrap, string topic, string codec, IEnumerable<WireRecord> records, CancellationToken cancellation)
    {
        var input = Encoding.UTF8.GetBytes(string.Concat(records.Select(record => record.ToJson() + "\n")));
        (await RunAsync(input, cancellation, bootstrap, "produce", topic, codec)).ShouldSucceed();
    }

    public static async Task<List<WireRecord>> ConsumeAsync(string bootstrap, string topic, int count, CancellationToken cancellation)
    {
        var result = await RunAsync(null, cancellation, bootstrap, "consume", topic, count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return [.. result.ShouldSucceed().Lines.Select(WireRecord.Parse)];
    }

    private static async Task<ProcessResult> RunAsync(byte[]? input, CancellationToken cancellation, params string[] arguments)
    {
        await using var process = RunningProcess.Start("node", [Path.Combine(_folder, "client.js"), .. arguments], input);
        return await process.WaitAsync(_limit, cancellation);
    }

    // npm installs beside the lock file, so the script runs where it is, not from the build output.
    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
            folder = folder.Parent;
        return Path.Combine(folder?.FullName ?? "", "tests", "Interop", "clients", "kafkajs");
    }

    private static string? FindReason()
    {
        if (!Directory.Exists(Path.Combine(_folder, "node_modules", "kafkajs")))
            return "kafkajs is not installed (scripts/setup-debian.sh test installs it where npm can reach a registry).";
        try
        {
            using var probe = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("node", ["--version"]) { RedirectStandardOutput = true })!;
            probe.StandardOutput.ReadToEnd();
            probe.WaitForExit();
            return null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "node is not installed (scripts/setup-debian.sh test installs it).";
        }
    }
}
