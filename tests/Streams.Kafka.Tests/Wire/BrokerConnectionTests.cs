using System.Diagnostics;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.Administration;
using Streams.Kafka.Tests.Support;
using Streams.Kafka.Wire;
using Streams.Tests.Shared;
using Xunit;

namespace Streams.Kafka.Tests.Wire;

/// <summary>Not beside other tests: one of them looks at what the whole process allocates.</summary>
[Collection(nameof(AloneCollection))]
public sealed class BrokerConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answer_to_another_request_ends_the_connection()
    {
        await using var broker = new ScriptedBroker((_, _, header) => ScriptedBroker.Frame(new HeartbeatResponse(), header, correlationOffset: 1));
        await LosesConnectionAsync(broker);
    }

    [Theory]
    [InlineData(0x7f, 0xff, 0xff, 0xff)]
    [InlineData(0xff, 0xff, 0xff, 0xff)]
    [InlineData(0x00, 0x00, 0x00, 0x03)]
    public async Task Length_that_is_not_credible_ends_the_connection(byte first, byte second, byte third, byte fourth)
    {
        await using var broker = new ScriptedBroker((_, _, _) => [first, second, third, fourth]);
        await LosesConnectionAsync(broker);
    }

    [Fact]
    public async Task Long_answer_that_does_not_come_allocates_little()
    {
        await using var broker = new ScriptedBroker((_, _, header) => header.CorrelationId % 2 == 0 ? [0x06, 0x00, 0x00, 0x00, 1, 2, 3] : null);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await using var connection = await OpenAsync(broker, broker.Settings with { RequestTimeout = TimeSpan.FromMilliseconds(200) });
        await Assert.ThrowsAsync<ConnectionLostException>(() => HeartbeatAsync(connection, TimeSpan.FromMilliseconds(200)));
        Assert.False(connection.IsOpen);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 16 << 20);
    }

    [Fact]
    public async Task Close_in_the_middle_of_an_answer_fails_the_request()
    {
        var first = true;
        await using var broker = new ScriptedBroker((_, _, header) =>
        {
            if (!first) return null;
            first = false;
            return ScriptedBroker.Frame(new HeartbeatResponse(), header)[..7];
        });
        await using var connection = await OpenAsync(broker, broker.Settings);
        var waiting = HeartbeatAsync(connection, TimeSpan.FromSeconds(5));
        var second = HeartbeatAsync(connection, TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<ConnectionLostException>(() => waiting);
        await Assert.ThrowsAsync<ConnectionLostException>(() => second);
        await Assert.ThrowsAsync<ConnectionLostException>(() => HeartbeatAsync(connection, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Body_that_does_not_parse_fails_its_request_only()
    {
        var requests = 0;
        await using var broker = new ScriptedBroker((_, _, header) =>
        {
            var frame = ScriptedBroker.Frame(new HeartbeatResponse(), header);
            if (requests++ > 0) return frame;
            var cut = frame[..^3];
            cut[3] = (byte)(cut.Length - 4);
            return cut;
        });
        await using var connection = await OpenAsync(broker, broker.Settings);
        await Assert.ThrowsAsync<ConnectionLostException>(() => HeartbeatAsync(connection, TimeSpan.FromSeconds(5)));
        Assert.Equal(ErrorCode.None, (await HeartbeatAsync(connection, TimeSpan.FromSeconds(5))).ErrorCode);
    }

    [Fact]
    public async Task Silence_ends_the_connection_after_the_timeout()
    {
        await using var broker = new ScriptedBroker((_, _, _) => []);
        await using var connection = await OpenAsync(broker, broker.Settings);
        await Assert.ThrowsAsync<ConnectionLostException>(() => HeartbeatAsync(connection, TimeSpan.FromMilliseconds(100)));
        Assert.False(connection.IsOpen);
    }

    [Fact]
    public async Task Cancelled_request_leaves_the_connection_in_step()
    {
        var released = new TaskCompletionSource();
        await using var broker = new ScriptedBroker((_, _, header) =>
        {
            released.Task.Wait(TimeSpan.FromSeconds(10), CancellationToken.None);
            return ScriptedBroker.Frame(new HeartbeatResponse { ThrottleTimeMs = header.CorrelationId }, header);
        });
        await using var connection = await OpenAsync(broker, broker.Settings with { MaxInFlight = 2 });
        using var cancel = new CancellationTokenSource();
        var cancelled = connection.SendAsync<HeartbeatResponse>(_ => new HeartbeatRequest(), TimeSpan.FromSeconds(5), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        released.SetResult();

        // More than are allowed in flight, so the cancelled one must have given its place back.
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => HeartbeatAsync(connection, TimeSpan.FromSeconds(5))));
        Assert.Equal(20, answers.Select(answer => answer.ThrottleTimeMs).Distinct().Count());
    }

    [Fact]
    public async Task Broker_that_is_away_is_unavailable_after_the_time_limit_without_spinning()
    {
        var broker = new ScriptedBroker((_, _, _) => null);
        var settings = broker.Settings with { ApiTimeout = TimeSpan.FromMilliseconds(500), InitialBackoff = TimeSpan.FromMilliseconds(50), MaxBackoff = TimeSpan.FromSeconds(1) };
        await broker.DisposeAsync();
        await using var pool = new BrokerPool(settings, TimeProvider.System);
        var log = new TaskLog();
        var admin = new KafkaAdmin(pool, new Retry(settings, TimeProvider.System, new Random(1), log));
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var failure = await Assert.ThrowsAsync<ClusterUnavailableException>(() => admin.ListTopicsAsync(Token));
        var last = Assert.IsType<ConnectionLostException>(failure.InnerException);

        // The time limit may be a minute, and until it has passed this line is all that tells of a wrong address.
        Assert.Equal(1, log.Count($"Listing topics does not succeed; it is tried for 0.5 s in all: {last.Message}"));
        Assert.InRange(Process.GetCurrentProcess().TotalProcessorTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Next_attempt_connects_anew_after_the_broker_hung_up()
    {
        await using var broker = new ScriptedBroker((self, _, header) => self.Connections < 3 ? null : ScriptedBroker.Frame(new MetadataResponse(), header));
        await using var pool = new BrokerPool(broker.Settings, TimeProvider.System);
        var admin = new KafkaAdmin(pool, new Retry(broker.Settings, TimeProvider.System, new Random(1)));
        Assert.Empty(await admin.ListTopicsAsync(Token));
        Assert.Equal(3, broker.Connections);
    }

    private static async Task LosesConnectionAsync(ScriptedBroker broker)
    {
        await using var connection = await OpenAsync(broker, broker.Settings);
        await Assert.ThrowsAsync<ConnectionLostException>(() => HeartbeatAsync(connection, TimeSpan.FromSeconds(5)));
        Assert.False(connection.IsOpen);
    }

    private static Task<BrokerConnection> OpenAsync(ScriptedBroker broker, WireSettings settings) =>
        BrokerConnection.OpenAsync(broker.Address, settings, TimeProvider.System, Token);

    private static Task<HeartbeatResponse> HeartbeatAsync(BrokerConnection connection, TimeSpan timeout) =>
        connection.SendAsync<HeartbeatResponse>(_ => new HeartbeatRequest(), timeout, Token);
}

[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
