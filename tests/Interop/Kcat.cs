using System.Globalization;
using System.Text;

namespace Interop;

/// <summary>kcat, the command-line client on librdkafka (written against 1.7.1).</summary>
internal static class Kcat
{
    // Lengths first, then the bytes, so that any byte may occur in keys and values; a length of -1 is null.
    private const string Format = "%K %S %T %o %h\\n%k%s\\n";

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<string?> _missing = new(ReasonMissing);

    public static void SkipIfMissing() => Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");

    public static async Task<ProcessResult> RunAsync(string bootstrap, byte[]? input, CancellationToken cancellation, params string[] arguments)
    {
        SkipIfMissing();
        await using var process = RunningProcess.Start("kcat", ["-b", bootstrap, "-m", "30", .. arguments], input);
        return await process.WaitAsync(_limit, cancellation);
    }

    /// <summary>Writes lines of <c>key:value</c>.</summary>
    public static async Task ProduceAsync(string bootstrap, string topic, string lines, CancellationToken cancellation, params string[] arguments) =>
        (await RunAsync(bootstrap, Encoding.UTF8.GetBytes(lines), cancellation, ["-P", "-t", topic, "-K", ":", .. arguments])).ShouldSucceed();

    /// <summary>Reads partition 0 from its beginning to its end.</summary>
    public static async Task<List<WireRecord>> ConsumeAsync(string bootstrap, string topic, CancellationToken cancellation, params string[] arguments)
    {
        var result = await RunAsync(bootstrap, null, cancellation, ["-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", Format, .. arguments]);
        return Parse(result.ShouldSucceed().Output);
    }

    private static List<WireRecord> Parse(string output)
    {
        var records = new List<WireRecord>();
        for (var position = 0; position < output.Length;)
        {
            var endOfLine = output.IndexOf('\n', position);
            var fields = output[position..endOfLine].Split(' ', 5);
            position = endOfLine + 1;
            var key = Take(output, ref position, fields[0]);
            var value = Take(output, ref position, fields[1]);
            Assert.Equal('\n', output[position++]);
            records.Add(new WireRecord(key, value, long.Parse(fields[2], CultureInfo.InvariantCulture), Headers(fields[4])));
        }

        return records;
    }

    private static string? Take(string output, ref int position, string length)
    {
        var count = int.Parse(length, CultureInfo.InvariantCulture);
        if (count < 0)
            return null;
        position += count;
        return Hex(output[(position - count)..position]);
    }

    // kcat writes a=1,b=2 and NULL for null: enough for headers without those characters in them.
    private static List<(string Name, string? Value)> Headers(string text) =>
    [
        .. from header in text.Split(',', StringSplitOptions.RemoveEmptyEntries)
           let parts = header.Split('=', 2)
           select (parts[0], parts[1] == "NULL" ? null : Hex(parts[1])),
    ];

    private static string Hex(string latin1) => Convert.ToHexStringLower(Encoding.Latin1.GetBytes(latin1));

    private static string? ReasonMissing()
    {
        try
        {
            using var probe = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("kcat", ["-V"]) { RedirectStandardOutput = true })!;
            probe.StandardOutput.ReadToEnd();
            probe.WaitForExit();
            return null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "kcat is not installed (scripts/setup-debian.sh test installs it).";
        }
    }
}
