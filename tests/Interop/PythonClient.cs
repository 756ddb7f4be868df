using System.Collections.Concurrent;
using System.Text;

namespace Interop;

/// <summary>A client library for Python, driven by its script in <c>clients/</c> (see harness.py for the commands).</summary>
internal sealed class PythonClient(string script, string module)
{
    // Debian's packages belong to Debian's Python, whichever other one is first on the PATH.
    private const string Python = "/usr/bin/python3";

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(90);
    private static readonly ConcurrentDictionary<string, string?> _missing = new();

    public static PythonClient KafkaPython { get; } = new("kafka_python.py", "kafka");

    public static PythonClient Confluent { get; } = new("confluent_python.py", "confluent_kafka");

    /// <summary>confluent-kafka under users and access rules, with kafka-python for the rules, which Debian's confluent-kafka cannot make.</summary>
    public static PythonClient Security { get; } = new("security.py", "confluent_kafka");

    /// <summary>Tokens and SASL over TLS with both libraries.</summary>
    public static PythonClient Oauth { get; } = new("oauth.py", "confluent_kafka");

    /// <summary>Skips the running test, with the reason, where the library (or a codec's module) is not installed.</summary>
    public void SkipIfMissing(string? furtherModule = null)
    {
        foreach (var name in furtherModule is null ? [module] : (string[])[module, furtherModule])
        {
            var reason = _missing.GetOrAdd(name, ReasonMissing);
            Assert.SkipWhen(reason is not null, reason ?? "");
        }
    }

    public async Task<IReadOnlyList<string>> ChecksAsync(CancellationToken cancellation) =>
        (await RunAsync(cancellation, "nowhere:0", "list")).ShouldSucceed().Lines;

    public async Task CheckAsync(string bootstrap, string name, string topic, CancellationToken cancellation) =>
        (await RunAsync(cancellation, bootstrap, "check", name, topic)).ShouldSucceed();

    public async Task ProduceAsync(string bootstrap, string topic, string codec, IEnumerable<WireRecord> records, CancellationToken cancellation)
    {
        var input = Encoding.UTF8.GetBytes(string.Concat(records.Select(record => record.ToJson() + "\n")));
        await using var process = Start(input, null, bootstrap, "produce", topic, codec);
        (await process.WaitAsync(_limit, cancellation)).ShouldSucceed();
    }

    public async Task<List<WireRecord>> ConsumeAsync(string bootstrap, string topic, int count, CancellationToken cancellation)
    {
        var result = await RunAsync(cancellation, bootstrap, "consume", topic, count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return [.. result.ShouldSucceed().Lines.Select(WireRecord.Parse)];
    }

    /// <summary>Starts writing numbers under acks=all; <paramref name="onAcknowledged"/> gets each number the broker acknowledged.</summary>
    public RunningProcess StartFlood(string bootstrap, string topic, int count, Action<int> onAcknowledged) =>
        Start(
            null,
            line => onAcknowledged(int.Parse(line, System.Globalization.CultureInfo.InvariantCulture)),
            bootstrap,
            "flood",
            topic,
            count.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static string? ReasonMissing(string name)
    {
        if (!File.Exists(Python))
            return $"{Python} is not installed (scripts/setup-debian.sh test installs it).";
        using var probe = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Python, ["-c", $"import {name}"]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : $"Python's module {name} is not installed (scripts/setup-debian.sh test installs it).";
    }

    private async Task<ProcessResult> RunAsync(CancellationToken cancellation, params string[] arguments)
    {
        await using var process = Start(null, null, arguments);
        return await process.WaitAsync(_limit, cancellation);
    }

    private RunningProcess Start(byte[]? input, Action<string>? onLine, params string[] arguments)
    {
        SkipIfMissing();
        return RunningProcess.Start(Python, [Path.Combine(AppContext.BaseDirectory, "clients", script), .. arguments], input, onLine);
    }
}
