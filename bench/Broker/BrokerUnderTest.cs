using System.Diagnostics;
using System.Globalization;

namespace Bench.Broker;

/// <summary>The broker as a process of its own, whose CPU time and memory are read from <c>/proc</c>: Linux only.</summary>
internal sealed class BrokerUnderTest : IAsyncDisposable
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on

    private readonly Process _process;

    private BrokerUnderTest(Process process, string bootstrap, TimeSpan startTime)
    {
        _process = process;
        Bootstrap = bootstrap;
        StartTime = startTime;
    }

    public string Bootstrap { get; }

    /// <summary>From the start of the process to its word that it is ready.</summary>
    public TimeSpan StartTime { get; }

    /// <summary>CPU seconds so far, of all its threads.</summary>
    public double CpuSeconds
    {
        get
        {
            string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Resident memory in megabytes.</summary>
    public double ResidentMb
    {
        get
        {
            string line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
        }
    }

    public static async Task<BrokerUnderTest> StartAsync(string folder)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Broker.Lite.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, ArgumentList = { program, "--port", "0", "--data", folder, "--log", "warning" } };
        long began = Stopwatch.GetTimestamp();
        Process process = Process.Start(start) ?? throw new InvalidOperationException("The broker could not be started.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
                return new BrokerUnderTest(process, line.Split(' ')[1], Stopwatch.GetElapsedTime(began));
        }

        throw new InvalidOperationException("The broker ended before it was ready.");
    }

    /// <summary>Ends it with SIGTERM, as an operator does.</summary>
    public async ValueTask DisposeAsync()
    {
        using (Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
