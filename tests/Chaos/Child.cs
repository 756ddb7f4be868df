using System.Diagnostics;
using System.Globalization;

namespace Chaos;

/// <summary>A process that can be killed, paused and asked to end, and whose output goes to a file.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Lock _gate = new();
    private readonly Action<string>? _onLine;
    private volatile bool _hasSpoken;

    private Child(Process process, StreamWriter log, Action<string>? onLine)
    {
        _process = process;
        _log = log;
        _onLine = onLine;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Whether it has ended and all that it said is in the log.</summary>
    public bool HasExited
    {
        get
        {
            if (!_process.HasExited) return false;

            // What a process says last is read after its end.
            _process.WaitForExit();
            return true;
        }
    }

    public int ExitCode => _process.ExitCode;

    /// <summary>Whether it has written a line yet; before that it is still starting, and its runtime answers signals as it likes.</summary>
    public bool HasSpoken => _hasSpoken;

    /// <summary>Processor time used so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static Child Start(string logFile, Action<string>? onLine, params string[] arguments) => Start(logFile, onLine, null, arguments);

    /// <summary>As above, with one environment variable.</summary>
    public static Child Start(string logFile, Action<string>? onLine, (string Name, string Value)? variable, params string[] arguments)
    {
        // Its input stays open as long as this process lives; its end tells the child to go.
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (variable is var (name, value)) start.Environment[name] = value;
        return new Child(Process.Start(start)!, new StreamWriter(logFile, append: true) { AutoFlush = true }, onLine);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
    }

    public void Pause() => Signal("STOP");

    public void Resume() => Signal("CONT");

    public void Terminate() => Signal("TERM");

    public bool WaitForExit(TimeSpan patience) => _process.WaitForExit(patience);

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        lock (_gate) _log.Dispose();
    }

    private void Signal(string name)
    {
        if (_process.HasExited) return;
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        kill.WaitForExit();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        _hasSpoken = true;
        _onLine?.Invoke(line);
        lock (_gate)
        {
            if (_log.BaseStream is { CanWrite: true }) _log.WriteLine(line);
        }
    }
}
