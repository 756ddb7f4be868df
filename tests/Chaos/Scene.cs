using System.Globalization;
using System.Text.RegularExpressions;

namespace Chaos;

/// <summary>The broker and the instances of the application, as processes in a folder of their own.</summary>
internal sealed partial class Scene : IDisposable
{
    /// <summary>What a process that does not handle SIGTERM, because it has not come so far, ends with.</summary>
    private const int TerminatedCode = 128 + 15;

    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _timeToEnd = TimeSpan.FromSeconds(60);

    private readonly ChaosOptions _options;
    private readonly Child?[] _instances;
    private readonly long?[] _asked;
    private Child? _broker;
    private int _port;

    public Scene(ChaosOptions options)
    {
        _options = options;
        _instances = new Child?[options.Instances];
        _asked = new long?[options.Instances];
        Folder = Directory.CreateTempSubdirectory("streams-chaos-").FullName;
    }

    /// <summary>Session and transaction time-out of the application, long for a machine under load and short for whoever waits for it.</summary>
    public const int SessionMs = 4000;

    public string Folder { get; }

    public string Bootstrap => _options.BootstrapServers ?? $"127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Whether the broker is this scene's to kill.</summary>
    public bool HasBroker => _options.BootstrapServers is null;

    /// <summary>The session time-out of instances that nothing fatal awaits: <see cref="SessionMs"/>, or what a cluster with default settings allows at least.</summary>
    public int InstanceSessionMs => HasBroker ? SessionMs : 6000;

    /// <summary>
    /// What instances had on their way when the broker was killed comes when it is back, and without transactions nothing fences it off: it must be there before the next owner of their
    /// tasks reads the changelog. Kafka waits 3 s.
    /// </summary>
    private int FirstGenerationDelayMs => _options is { IsExactlyOnce: false, Instances: > 1 } ? 2000 : 0;

    /// <summary>What went wrong with the processes themselves.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Whether somebody will want to look at what is left.</summary>
    public bool KeepFolder { get; set; }

    public int Count => _instances.Length;

    public void StartBroker()
    {
        var ready = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _broker = Child.Start(
            Path.Combine(Folder, "broker.log"),
            line =>
            {
                if (ReadyLine().Match(line) is { Success: true } match) ready.TrySetResult(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
            },
            Path.Combine(AppContext.BaseDirectory, "Broker.Lite.dll"),
            "--port",
            _port.ToString(CultureInfo.InvariantCulture),
            "--data",
            Path.Combine(Folder, "broker"),
            "--set",
            "group.min.session.timeout.ms=1000",
            "--set",
            $"group.initial.rebalance.delay.ms={FirstGenerationDelayMs.ToString(CultureInfo.InvariantCulture)}");
        if (!ready.Task.Wait(_startLimit)) throw new TimeoutException($"The broker did not serve within {_startLimit}: see {Folder}/broker.log");
        _port = ready.Task.Result;
    }

    public void KillBroker()
    {
        _broker!.Dispose();
        _broker = null;
    }

    public void PauseBroker() => _broker!.Pause();

    public void ResumeBroker() => _broker!.Resume();

    /// <summary>Starts an instance; with a step and a number it kills itself there, and is not waited for so long.</summary>
    public void StartInstance(int index, params string[] fatal)
    {
        _instances[index] = Child.Start(
            LogOf(index),
            null,
            ClientLibrary.Variable(_options.ClientOf(index)),
            [
                Path.Combine(AppContext.BaseDirectory, "Chaos.dll"),
                "app",
                Bootstrap,
                Path.Combine(Folder, "state-" + index.ToString(CultureInfo.InvariantCulture)),
                _options.IsExactlyOnce ? "exactly-once" : "at-least-once",
                (fatal.Length == 0 ? InstanceSessionMs : SessionMs / 2).ToString(CultureInfo.InvariantCulture),
                _options.Standbys.ToString(CultureInfo.InvariantCulture),
                .. fatal,
            ]);
    }

    public void KillInstance(int index)
    {
        _instances[index]?.Dispose();
        _instances[index] = null;
    }

    public void PauseInstance(int index) => _instances[index]?.Pause();

    public void ResumeInstance(int index) => _instances[index]?.Resume();

    public bool HasEnded(int index) => _instances[index] is not { HasExited: false };

    public TimeSpan ProcessorTime(int index) => _instances[index]?.ProcessorTime ?? TimeSpan.Zero;

    /// <summary>SIGTERM; <see cref="HasEndedAsAsked"/> follows.</summary>
    public void AskToEnd(int index)
    {
        if (_instances[index] is not { } instance) return;
        _asked[index] = TimeProvider.System.GetTimestamp();
        instance.Terminate();
    }

    /// <summary>Whether an instance that was asked to has ended; also when it has not within a minute, which is a fault.</summary>
    public bool HasEndedAsAsked(int index)
    {
        if (_instances[index] is not { HasExited: false } || TimeProvider.System.GetElapsedTime(_asked[index]!.Value) > _timeToEnd)
        {
            _asked[index] = null;
            StopInstance(index);
            return true;
        }

        return false;
    }

    /// <summary>SIGTERM and the wait for the end.</summary>
    public void StopInstance(int index)
    {
        if (_instances[index] is not { } instance) return;
        instance.Terminate();
        if (!instance.WaitForExit(_timeToEnd)) Faults.Add($"instance {index} did not end within a minute of SIGTERM");
        else if (instance.ExitCode != 0 && (instance.HasSpoken || instance.ExitCode != TerminatedCode)) Faults.Add($"instance {index} ended with code {instance.ExitCode}:\n{Tail(index)}");
        KillInstance(index);
    }

    /// <summary>An application survives everything that happens here; one that ends by itself has failed. It is started again, so that the run goes on.</summary>
    public void CheckInstances()
    {
        for (var index = 0; index < _instances.Length; index++)
        {
            if (_asked[index] is not null || _instances[index] is not { HasExited: true } ended) continue;
            Faults.Add($"instance {index} ended by itself with code {ended.ExitCode}:\n{Tail(index)}");
            KillInstance(index);
            StartInstance(index);
        }
    }

    /// <summary>Whether the instance has said that its tasks are processing.</summary>
    public bool IsRunning(int index) => ReadLog(index).Contains("to Running", StringComparison.Ordinal);

    public string Tail(int index) => string.Join('\n', ReadLog(index).Split('\n').TakeLast(25));

    private string ReadLog(int index)
    {
        using var log = new StreamReader(new FileStream(LogOf(index), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return log.ReadToEnd();
    }

    public void Dispose()
    {
        for (var index = 0; index < _instances.Length; index++) KillInstance(index);
        _broker?.Dispose();
        if (!_options.Keep && !KeepFolder) Directory.Delete(Folder, recursive: true);
    }

    private string LogOf(int index) => Path.Combine(Folder, $"instance-{index.ToString(CultureInfo.InvariantCulture)}.log");

    [GeneratedRegex("^ready \\S+:([0-9]+)$")]
    private static partial Regex ReadyLine();
}
