using System.Diagnostics;
using System.Text;

namespace Examples;

/// <summary>An example as the process that its README starts, with its output captured.</summary>
internal sealed class ExampleProcess : IDisposable
{
    /// <summary>How long anything may take: long, because all tests run side by side, on machines that may have two slow cores. Twice what the examples give their own checks.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> IsWanted, TaskCompletionSource Found)> _awaited = [];
    private readonly Lock _gate = new();

    private ExampleProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data, isOutput: true);
        process.ErrorDataReceived += (_, line) => Keep(line.Data, isOutput: false);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has printed to its standard output so far.</summary>
    public string Output
    {
        get
        {
            lock (_gate) return _output.ToString();
        }
    }

    /// <summary>What it has printed so far, errors included.</summary>
    public string Everything
    {
        get
        {
            lock (_gate) return string.Join('\n', _lines);
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Starts an example by the name of its folder. It must be in <c>Examples.csproj</c>, so that it is built.</summary>
    public static ExampleProcess Start(string example, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(ExampleFiles.Program(example));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return new ExampleProcess(Process.Start(start)!);
    }

    /// <summary>Runs an example to its end and returns what it printed to its standard output; any exit code but 0 fails the test with everything it printed.</summary>
    public static async Task<string> RunAsync(string example, params string[] arguments)
    {
        using var process = Start(example, arguments);
        var code = await process.WaitAsync();
        Assert.True(code == 0, $"{example} ended with code {code}. It printed:\n{process.Everything}");
        return process.Output;
    }

    /// <summary>Waits until it has printed a line with a text, to either of its outputs. Fails the test when it ends without, or <see cref="Patience"/> is over.</summary>
    public Task WaitForTextAsync(string text) => WaitForLineAsync(line => line.Contains(text, StringComparison.Ordinal), $"'{text}'");

    /// <summary>Waits until it has printed a line that is wanted. Fails the test when it ends without, or <see cref="Patience"/> is over.</summary>
    /// <param name="isWanted">Called for each line, also those printed before, one at a time.</param>
    /// <param name="what">What is wanted, for the message.</param>
    public async Task WaitForLineAsync(Func<string, bool> isWanted, string what)
    {
        var found = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_lines.Exists(line => isWanted(line))) return;
            _awaited.Add((isWanted, found));
        }

        // The wait for the exit is one for the end of the outputs too: nothing is left in the pipes after it.
        using var timeout = new CancellationTokenSource(Patience);
        await Task.WhenAny(found.Task, _process.WaitForExitAsync(timeout.Token));
        Assert.True(
            found.Task.IsCompleted,
            $"{(timeout.IsCancellationRequested ? $"{Patience} passed" : "The process ended")} without {what}. It printed:\n{Everything}");
    }

    /// <summary>Ends the process as kill -9 does: no handler runs, no buffer is written.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to end, as Ctrl+C does.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Waits for the end and gives the exit code. Fails the test when <see cref="Patience"/> is over.</summary>
    public async Task<int> WaitAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            // Returns when both outputs have been read to their end, too.
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The process did not end within {Patience}. It printed:\n{Everything}");
        }

        return _process.ExitCode;
    }

    public void Dispose()
    {
        // To its very end, because its folders are deleted next.
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(string? line, bool isOutput)
    {
        if (line is null) return;
        lock (_gate)
        {
            _lines.Add(line);
            if (isOutput) _output.AppendLine(line);
            foreach (var (isWanted, found) in _awaited)
            {
                if (!found.Task.IsCompleted && isWanted(line)) found.SetResult();
            }
        }
    }
}
