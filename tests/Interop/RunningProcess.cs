using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Interop;

/// <summary>
/// A child process whose output is read while it runs, so that it never blocks on a full pipe, and which does not outlive its owner: disposing
/// kills it with everything it started.
/// </summary>
internal sealed class RunningProcess : IAsyncDisposable
{
    /// <summary>Output beyond this many characters is cut; no program here has reason to print that much.</summary>
    private const int MaxOutputLength = 64 * 1024 * 1024;

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly StringBuilder _errors = new();
    private readonly Task _errorReader;

    private RunningProcess(Process process, Action<string>? onLine, Action<string>? onErrorLine)
    {
        _process = process;
        _output = ReadOutput(process.StandardOutput, onLine);
        _errorReader = ReadErrors(onErrorLine);
    }

    public bool HasExited => _process.HasExited;

    /// <summary>What the process wrote to standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>
    /// Starts <paramref name="program"/>; its standard input is empty unless given. <paramref name="onLine"/> is called for each line of output as it
    /// comes, on a thread of the reader's, and <paramref name="onErrorLine"/> for each line of standard error.
    /// </summary>
    public static RunningProcess Start(
        string program, IReadOnlyList<string> arguments, byte[]? input = null, Action<string>? onLine = null, Action<string>? onErrorLine = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1, // Bytes as they are; Kcat makes them hexadecimal.
        };
        // A child must not write compiled scripts beside its sources.
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        var process = Process.Start(start)!;
        var running = new RunningProcess(process, onLine, onErrorLine);
        try
        {
            if (input is not null)
                process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read everything; its exit code and errors tell why.
        }

        return running;
    }

    /// <summary>Waits for the end; kills the process and throws when it takes longer than <paramref name="limit"/>.</summary>
    public async Task<ProcessResult> WaitAsync(TimeSpan limit, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(limit);
        try
        {
            return await EndAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Kill();
            throw new TimeoutException($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not end within {limit}.\n{Errors}");
        }
    }

    /// <summary>Waits for the end; cancelling stops the wait and leaves the process alone.</summary>
    public async Task<ProcessResult> EndAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        var output = await _output.WaitAsync(cancellation);
        await _errorReader.WaitAsync(cancellation);
        return new ProcessResult(_process.ExitCode, output, Errors);
    }

    /// <summary>Ends the process as <c>kill -9</c> does, at once and unasked, and waits until it is gone.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <summary>Asks the process to end, as a service manager does.</summary>
    public async Task TerminateAsync(CancellationToken cancellation)
    {
        // The shell's own kill: the program of that name is in a package that a bare system does not have.
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        await kill.WaitForExitAsync(cancellation);
        Assert.Equal(0, kill.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Task.WhenAny(Task.WhenAll(_output, _errorReader), Task.Delay(TimeSpan.FromSeconds(5)));
        _process.Dispose();
    }

    private static async Task<string> ReadOutput(StreamReader reader, Action<string>? onLine)
    {
        var text = new StringBuilder();
        if (onLine is null)
        {
            var buffer = new char[16 * 1024];
            int length;
            while ((length = await reader.ReadAsync(buffer)) > 0)
            {
                if (text.Length + length <= MaxOutputLength)
                    text.Append(buffer, 0, length);
            }
        }
        else
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                if (text.Length + line.Length < MaxOutputLength)
                    text.Append(line).Append('\n');
                onLine(line);
            }
        }

        return text.ToString();
    }

    private async Task ReadErrors(Action<string>? onLine)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_errors)
            {
                if (_errors.Length + line.Length < MaxOutputLength)
                    _errors.Append(line).Append('\n');
            }

            onLine?.Invoke(line);
        }
    }
}
