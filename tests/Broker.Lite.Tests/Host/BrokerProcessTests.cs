using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Host;

/// <summary>The real process: started, ended by a signal, killed, and used by kcat.</summary>
public sealed partial class BrokerProcessTests : IDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), "broker-lite-tests", Guid.NewGuid().ToString("N"));
    private readonly List<Process> _processes = [];

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Sigterm_ends_the_process_cleanly_also_with_a_client_that_waits()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        var (broker, port) = await StartAsync();
        using var client = new RawClient(port);
        await client.CallAsync(new MetadataRequest { Topics = [new() { Name = "t" }] }, 12);
        await client.CallAsync(TestBroker.Fetch("t", 0, maxWaitMs: 50), 12); // leaves the connection between two requests
        using var parked = new RawClient(port);
        await parked.SendAsync(TestBroker.Fetch("t", 0, maxWaitMs: 60_000), 12, 1);

        Assert.Equal(0, Kill(broker.Id, Terminate));
        await broker.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, broker.ExitCode);
        Assert.True(File.Exists(Path.Combine(_directory, ".kafka_cleanshutdown")));
        await parked.AssertClosedAsync();
    }

    [Fact]
    public async Task Killed_process_loses_nothing_that_was_acknowledged()
    {
        var acknowledged = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            var (broker, port) = await StartAsync();
            using var client = new RawClient(port);
            if (round == 0)
                await client.CallAsync(new MetadataRequest { Topics = [new() { Name = "t" }] }, 12);
            for (var i = 0; i < 50; i++)
            {
                var value = $"{round}-{i}";
                var produced = (await client.CallAsync(TestBroker.Produce("t", Batches.Of(value)), 9, i)).Responses[0].PartitionResponses[0];
                Assert.Equal((ErrorCode.None, (long)acknowledged.Count), (produced.ErrorCode, produced.BaseOffset));
                acknowledged.Add(value);
            }

            var committed = await client.CallAsync(
                new OffsetCommitRequest { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = acknowledged.Count }] }] }, 8);
            Assert.Equal(ErrorCode.None, committed.Topics[0].Partitions[0].ErrorCode);
            broker.Kill();
            await broker.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var (_, lastPort) = await StartAsync();
        using var reader = new RawClient(lastPort);
        var fetched = await reader.CallAsync(TestBroker.Fetch("t", 0), 12);
        Assert.Equal(acknowledged, Batches.Read(fetched.Responses[0].Partitions[0].Records).Select(record => record.Value));
        var offsets = await reader.CallAsync(
            new OffsetFetchRequest { Groups = [new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }] }, 8);
        Assert.Equal(acknowledged.Count, offsets.Groups[0].Topics[0].Partitions[0].CommittedOffset);
    }

    [Fact]
    public async Task Kcat_produces_and_consumes_alone_and_in_a_group()
    {
        var kcat = new[] { "/usr/bin/kcat", "/usr/local/bin/kcat" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(kcat is null, "kcat is not installed");
        var (_, port) = await StartAsync();
        var lines = string.Concat(Enumerable.Range(0, 1000).Select(i => $"line {i}\n"));
        var address = $"127.0.0.1:{port}";
        await RunAsync(kcat!, lines, "-b", address, "-P", "-t", "t", "-z", "gzip");
        Assert.Equal(lines, await RunAsync(kcat!, "", "-b", address, "-C", "-t", "t", "-o", "beginning", "-e", "-q"));
        Assert.Equal(lines, await RunAsync(kcat!, "", "-b", address, "-q", "-e", "-X", "auto.offset.reset=earliest", "-G", "g", "t"));
        await RunAsync(kcat!, "more\n", "-b", address, "-P", "-t", "t");
        Assert.Equal("more\n", await RunAsync(kcat!, "", "-b", address, "-q", "-e", "-X", "auto.offset.reset=earliest", "-G", "g", "t"));
    }

    private async Task<(Process Process, int Port)> StartAsync()
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardOutput = true };
        foreach (var argument in new[] { typeof(BrokerServer).Assembly.Location, "--port", "0", "--data", _directory, "--log", "warning" })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        _processes.Add(process);
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.StartsWith("ready 127.0.0.1:", line, StringComparison.Ordinal);
        return (process, int.Parse(line!.AsSpan("ready 127.0.0.1:".Length), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private async Task<string> RunAsync(string program, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        _processes.Add(process);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return await output;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
