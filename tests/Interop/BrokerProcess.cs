using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Interop;

/// <summary>
/// Broker.Lite as its users start it: a process with a data folder, on a port the system picked. It can be killed and started again on the same
/// folder and port, as clients expect of a broker that comes back.
/// </summary>
internal sealed partial class BrokerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<string> _options;
    private readonly bool _namesListeners;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _listeners = new(StringComparer.Ordinal);
    private readonly string _dataDirectory;
    private RunningProcess? _process;

    private BrokerProcess(IReadOnlyList<string> options, bool namesListeners)
    {
        _options = options;
        _namesListeners = namesListeners;
        _dataDirectory = Directory.CreateTempSubdirectory("broker-lite-interop-").FullName;
    }

    /// <summary><c>host:port</c> for clients.</summary>
    public string Bootstrap { get; private set; } = "";

    public int Port => int.Parse(Bootstrap[(Bootstrap.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Starts a broker on an empty folder, with <paramref name="settings"/> as <c>name=value</c>, and returns when it serves.</summary>
    public static Task<BrokerProcess> StartAsync(CancellationToken cancellation, params string[] settings) =>
        StartAsync(new BrokerProcess([.. Options(settings)], namesListeners: false), cancellation);

    /// <summary>
    /// Starts a broker whose settings name its listeners, so that it has more than one address (<see cref="AddressOfAsync"/>), with further
    /// options of its command line. Ports of 0 are other ones after a restart.
    /// </summary>
    public static Task<BrokerProcess> StartWithListenersAsync(IEnumerable<string> options, CancellationToken cancellation, params string[] settings) =>
        StartAsync(new BrokerProcess([.. options, .. Options(settings)], namesListeners: true), cancellation);

    /// <summary><c>host:port</c> of one listener, as the broker's log tells it.</summary>
    public Task<string> AddressOfAsync(string listener, CancellationToken cancellation) => Listener(listener).Task.WaitAsync(_startLimit, cancellation);

    private static IEnumerable<string> Options(string[] settings) => settings.SelectMany(setting => (string[])["--set", setting]);

    private static async Task<BrokerProcess> StartAsync(BrokerProcess broker, CancellationToken cancellation)
    {
        try
        {
            await broker.RunAsync(port: 0, cancellation);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9: no clean-up, no flush, no goodbye to clients.</summary>
    public void Kill() => _process!.Kill();

    /// <summary>SIGTERM, and the wait for the end.</summary>
    public async Task<ProcessResult> StopAsync(CancellationToken cancellation)
    {
        await _process!.TerminateAsync(cancellation);
        return await _process.WaitAsync(TimeSpan.FromSeconds(30), cancellation);
    }

    /// <summary>Starts the broker again where it was, after <see cref="Kill"/> or <see cref="StopAsync"/>.</summary>
    public async Task RestartAsync(CancellationToken cancellation)
    {
        await _process!.DisposeAsync();
        await RunAsync(Port, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        Directory.Delete(_dataDirectory, recursive: true);
    }

    private async Task RunAsync(int port, CancellationToken cancellation)
    {
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Broker.Lite.dll"),
            .. _namesListeners ? [] : (string[])["--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture)],
            "--data", _dataDirectory,
            .. _options,
        ];
        _process = RunningProcess.Start("dotnet", arguments, onLine: line =>
        {
            if (ReadyLine().Match(line) is { Success: true } match)
                ready.TrySetResult(match.Groups["address"].Value);
        }, onErrorLine: line =>
        {
            if (ListenerLine().Match(line) is { Success: true } match)
                Listener(match.Groups["name"].Value).TrySetResult(match.Groups["address"].Value);
        });

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_startLimit);
        var ended = _process.EndAsync(limit.Token);
        if (await Task.WhenAny(ready.Task, ended) == ended)
        {
            Assert.False(ended.IsCanceled, $"The broker did not serve within {_startLimit}.\n{_process.Errors}");
            var result = await ended;
            Assert.Fail($"The broker ended with code {result.ExitCode} instead of serving.\n{result.Output}\n{result.Errors}");
        }

        Bootstrap = await ready.Task;
    }

    private TaskCompletionSource<string> Listener(string name) =>
        _listeners.GetOrAdd(name, _ => new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));

    [GeneratedRegex(@" Listener (?<name>\S+) \(\S+\) listens on (?<address>\S+:[0-9]+)$")]
    private static partial Regex ListenerLine();

    [GeneratedRegex(@"^ready (?<address>\S+:[0-9]+)$")]
    private static partial Regex ReadyLine();
}
