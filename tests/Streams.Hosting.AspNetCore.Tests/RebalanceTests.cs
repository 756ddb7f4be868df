using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streams.Core;
using Streams.Kafka;

namespace Streams.Hosting.AspNetCore.Tests;

/// <summary>Queries while instances come and die, with a broker and instances that are processes of their own.</summary>
public sealed partial class RebalanceTests : IDisposable
{
    private const string Program = "Streams.Hosting.AspNetCore.Tests";
    private const int Partitions = 6;
    private const int Keys = 200;
    private const long Count = 5;
    private const int SessionMs = 4000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("streams-web-").FullName;
    private readonly List<Process> _processes = [];
    private readonly ConcurrentDictionary<int, ConcurrentQueue<string>> _output = new();

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(0, "confluent")]
    [InlineData(1, "confluent")]
    [InlineData(1, "managed")]
    public async Task Every_query_gets_the_right_answer_while_instances_come_and_die(int standbys, string library)
    {
        var seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var bootstrap = await StartBrokerAsync();
        await FeedAsync(bootstrap);
        var (one, two) = (StartInstance(bootstrap, standbys, library), StartInstance(bootstrap, standbys, library));
        await UntilAsync(() => OwnersAsync(one, 2), "two instances share the work");
        for (var key = 0; key < Keys; key++)
        {
            var wanted = key;
            await UntilAsync(async () => await AskAsync(one, wanted) == Count, $"key {key} is counted");
        }

        using var clients = new Clients(seed, [one, two]);
        var three = StartInstance(bootstrap, standbys, library);
        await UntilAsync(() => OwnersAsync(one, 3), "the third instance has work");
        await UntilAsync(() => clients.HasAskedMore(200), "queries go on");

        // It is asked, too, from now on, and the second one is not: whoever balances the load would notice its death.
        clients.Ask(one, three);
        await UntilAsync(() => !clients.IsAsking(two) && clients.HasAskedMore(200), "queries go on without the second instance");
        two.Process.Kill();
        await UntilAsync(() => OwnersAsync(one, 2), "the survivors have the work");
        await UntilAsync(() => clients.HasAskedMore(200), "queries go on");
        var report = await clients.StopAsync();
        Assert.True(report.Faults.IsEmpty, $"seed {seed}: {report.Faults.Count} of {report.Asked} queries were not answered right:\n{string.Join('\n', report.Faults.Take(5))}\n{Tail()}");
        Assert.True(report.Longest < _patience, $"a query took {report.Longest}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{library}, {standbys} standby(s): {report.Asked} queries, {report.Stale} answered by standbys, the longest took {report.Longest.TotalMilliseconds:F0} ms");

        // Without standbys the answer was worth the wait for the dead instance's session; with them nobody had to wait for that.
        if (standbys > 0) Assert.True(report.Stale > 0, "no standby has answered");
        else Assert.Equal(0, report.Stale);
    }

    private static async Task<long?> AskAsync(Server server, int key)
    {
        using var response = await server.Http.GetAsync($"/{CountsProcess.Store}/key-{key}");
        return response.IsSuccessStatusCode ? long.Parse(await response.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture) : null;
    }

    // All partitions have owners, and there are so many of those.
    private static async Task<bool> OwnersAsync(Server server, int count)
    {
        try
        {
            using var metadata = JsonDocument.Parse(await server.Http.GetStringAsync($"/{CountsProcess.Store}/$metadata"));
            var owners = metadata.RootElement.GetProperty("partitions").EnumerateArray().Select(partition => partition.GetProperty("active").GetString()).ToList();
            return owners.Count == Partitions && owners.All(owner => owner is not null) && owners.Distinct().Count() == count;
        }
        catch (HttpRequestException)
        {
            // It is still starting.
            return false;
        }
    }

    private async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var timeout = new CancellationTokenSource(_patience);
        try
        {
            while (!await condition()) await Task.Delay(20, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"It did not come about that {what}:\n{Tail()}");
        }
    }

    private Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    private async Task<string> StartBrokerAsync()
    {
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(
            line =>
            {
                if (ReadyLine().Match(line) is { Success: true } match) ready.TrySetResult(match.Groups[1].Value);
            },
            // With the dependencies of this program, where its own are not copied: the web framework has some of them.
            ["exec", "--depsfile", Of(Program + ".deps.json"), "--runtimeconfig", Of(Program + ".runtimeconfig.json"), Of("Broker.Lite.dll"), "--port", "0", "--data", Path.Combine(_folder, "broker"), "--set", "group.min.session.timeout.ms=1000", "--set", "group.initial.rebalance.delay.ms=0"]);
        await UntilAsync(() => ready.Task.IsCompleted, "the broker serves");
        return $"127.0.0.1:{await ready.Task}";
    }

    private Server StartInstance(string bootstrap, int standbys, string library)
    {
        var port = Ports.Take();
        var process = Start(
            null,
            [Of(Program + ".dll"), "app", bootstrap, Path.Combine(_folder, $"state-{port}"), $"{port}", $"{SessionMs}", $"{standbys}", library]);
        return new Server(process, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = _patience * 2 });
    }

    private Process Start(Action<string>? onLine, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        _processes.Add(process);
        var output = _output.GetOrAdd(_processes.Count, _ => new ConcurrentQueue<string>());
        void Keep(string? line)
        {
            if (line is null) return;
            onLine?.Invoke(line);
            output.Enqueue(line);
            while (output.Count > 100) output.TryDequeue(out _);
        }

        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static string Of(string file) => Path.Combine(AppContext.BaseDirectory, file);

    private string Tail() => string.Join('\n', _output.OrderBy(entry => entry.Key).Select(entry => $"--- process {entry.Key}\n{string.Join('\n', entry.Value.TakeLast(20))}"));

    private static async Task FeedAsync(string bootstrap)
    {
        await using var cluster = new KafkaCluster(bootstrap);
        using (var admin = cluster.CreateAdmin("feeder"))
            await admin.CreateTopicsAsync([new NewTopic(CountsProcess.Input, Partitions, 1, new Dictionary<string, string>())], CancellationToken.None);
        Instance.Produce(cluster, CountsProcess.Input, Partitions, Enumerable.Range(0, (int)(Keys * Count)).Select(number => (Encoding.UTF8.GetBytes($"key-{number % Keys}"), "v", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds())));
    }

    [GeneratedRegex("^ready \\S+:([0-9]+)$")]
    private static partial Regex ReadyLine();

    private sealed record Server(Process Process, HttpClient Http);

    private sealed record Report(long Asked, long Stale, TimeSpan Longest, ConcurrentQueue<string> Faults);

    /// <summary>Asks all the time, several at once, for keys and at instances by chance.</summary>
    private sealed class Clients : IDisposable
    {
        private const int Parallel = 4;

        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentQueue<string> _faults = new();
        private readonly Task[] _loops;
        private readonly Lock _gate = new();
        private readonly List<Server> _asking = [];
        private Server[] _targets;
        private long _asked;
        private long _stale;
        private long _longestTicks;
        private long _mark;

        public Clients(int seed, Server[] targets)
        {
            _targets = targets;
            _loops = [.. Enumerable.Range(0, Parallel).Select(index => Task.Run(() => RunAsync(new Random(seed + index))))];
        }

        /// <summary>Asks only these from now on.</summary>
        public void Ask(params Server[] targets)
        {
            lock (_gate) _targets = targets;
        }

        /// <summary>Whether a query of somebody is under way.</summary>
        public bool IsAsking(Server server)
        {
            lock (_gate) return _asking.Contains(server);
        }

        /// <summary>Whether so many queries have been answered since the last time that this was true.</summary>
        public bool HasAskedMore(int count)
        {
            var asked = Interlocked.Read(ref _asked);
            if (asked < _mark + count) return false;
            _mark = asked;
            return true;
        }

        public async Task<Report> StopAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_loops);
            return new Report(_asked, _stale, TimeSpan.FromTicks(_longestTicks), _faults);
        }

        public void Dispose() => _stop.Dispose();

        private async Task RunAsync(Random random)
        {
            while (!_stop.IsCancellationRequested)
            {
                Server target;
                lock (_gate)
                {
                    target = _targets[random.Next(_targets.Length)];
                    _asking.Add(target);
                }

                var key = random.Next(Keys);
                var began = Stopwatch.GetTimestamp();
                try
                {
                    // Not cancelled: a query that has begun is to be answered.
                    using var response = await target.Http.GetAsync($"/{CountsProcess.Store}/key-{key}", CancellationToken.None);
                    var text = await response.Content.ReadAsStringAsync(CancellationToken.None);
                    if (!response.IsSuccessStatusCode || text != Count.ToString(CultureInfo.InvariantCulture))
                        _faults.Enqueue($"key-{key} at {TimeProvider.System.GetUtcNow():HH:mm:ss.fff} from {target.Http.BaseAddress}: {(int)response.StatusCode} {text} with {response.Headers.ToString().ReplaceLineEndings("; ")}");
                    if (response.Headers.TryGetValues("Streams-Stale", out var stale) && stale.Single() == "true") Interlocked.Increment(ref _stale);
                }
                catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
                {
                    _faults.Enqueue($"key-{key}: {failure.Message}");
                }

                lock (_gate) _asking.Remove(target);
                var ticks = Stopwatch.GetElapsedTime(began).Ticks;
                for (var longest = Interlocked.Read(ref _longestTicks); ticks > longest; longest = Interlocked.Read(ref _longestTicks)) Interlocked.CompareExchange(ref _longestTicks, ticks, longest);
                Interlocked.Increment(ref _asked);
            }
        }
    }
}
