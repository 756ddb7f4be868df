using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Broker.Lite.Host;
using Broker.Lite.Host.Commands;
using Broker.Lite.Monitoring;
using Broker.Lite.Tests.Support;

namespace Broker.Lite.Tests.Host;

public sealed class ToolTests
{
    [Fact]
    public async Task Topics_are_made_shown_grown_and_deleted()
    {
        await using var broker = await StartAsync();
        await OkAsync(broker, "topics create --topic t --partitions 2 --config retention.ms=1000");
        await OkAsync(broker, "topics create --topic t --if-not-exists");
        Assert.Contains("TOPIC_ALREADY_EXISTS", await FailAsync(broker, 1, "topics create --topic t"), StringComparison.Ordinal);
        Assert.Equal("t", (await OkAsync(broker, "topics list")).Trim());
        Assert.Contains("retention.ms=1000", await OkAsync(broker, "topics describe --topic t"), StringComparison.Ordinal);
        await OkAsync(broker, "topics alter --topic t --partitions 3");
        Assert.Contains("PartitionCount: 3", await OkAsync(broker, "topics describe"), StringComparison.Ordinal);
        await OkAsync(broker, "configs alter --entity-type topics --entity-name t --add cleanup.policy=compact --delete retention.ms");
        Assert.Equal("cleanup.policy=compact", (await OkAsync(broker, "configs describe --entity-type topics --entity-name t")).Trim());
        await OkAsync(broker, "topics delete --topic t");
        Assert.Contains("UNKNOWN_TOPIC_OR_PARTITION", await FailAsync(broker, 1, "topics delete --topic t"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_are_written_and_read_with_keys_headers_nulls_and_positions()
    {
        await using var broker = await StartAsync();
        await OkAsync(broker, "topics create --topic t --partitions 1");
        await OkAsync(broker, "produce --topic t --key-separator : --header h=1 --null-marker NULL --compression gzip --timestamp 5", "k1:v1\nk2:NULL\nk1:v3\n");
        Assert.Equal("5|0:0|h:1|k1|v1\n5|0:1|h:1|k2|null\n5|0:2|h:1|k1|v3\n", await OkAsync(broker, "consume --topic t --from-beginning --exit-at-end --print-key --print-timestamp --print-offset --print-headers --separator |"));
        Assert.Equal("v1\n", await OkAsync(broker, "consume --topic t --from-beginning --max-records 1 --group g"));
        Assert.Equal("null\nv3\n", await OkAsync(broker, "consume --topic t --exit-at-end --group g"));
        Assert.Equal("v3\n", await OkAsync(broker, "consume --topic t --offset 2 --exit-at-end"));
        Assert.Equal("t:0:3", (await OkAsync(broker, "topics offsets --topic t")).Trim());
        await OkAsync(broker, "topics delete-records --topic t --offset 2");
        Assert.Equal("v3\n", await OkAsync(broker, "consume --topic t --from-beginning --exit-at-end"));
    }

    [Fact]
    public async Task Group_offsets_are_shown_and_reset_in_every_way()
    {
        await using var broker = await StartAsync();
        await OkAsync(broker, "topics create --topic t --partitions 1");
        foreach (var timestamp in new[] { 1000, 2000, 3000, 4000 })
            await OkAsync(broker, "produce --topic t --timestamp " + timestamp.ToString(CultureInfo.InvariantCulture), "x\n");
        await OkAsync(broker, "consume --topic t --from-beginning --max-records 1 --group g");
        Assert.Contains("t\t0\t1\t4\t3", await OkAsync(broker, "groups describe --group g"), StringComparison.Ordinal);
        Assert.Contains("g", await OkAsync(broker, "groups list"), StringComparison.Ordinal);
        foreach (var (how, expected) in new[]
            { ("--to-latest", 4), ("--to-earliest", 0), ("--shift-by 3", 3), ("--shift-by -2", 1), ("--shift-by 99", 4), ("--to-offset 2", 2), ("--to-current", 2), ("--to-datetime 1970-01-01T00:00:03Z", 2), ("--to-datetime 1970-01-01T00:00:09Z", 4), ("--by-duration P30000D", 0) })
        {
            var shown = await OkAsync(broker, "groups reset-offsets --group g --dry-run " + how);
            Assert.Contains("\tt\t0\t" + expected.ToString(CultureInfo.InvariantCulture), shown, StringComparison.Ordinal);
            await OkAsync(broker, "groups reset-offsets --group g --topic t:0 --execute " + how);
            Assert.Contains("t\t0\t" + expected.ToString(CultureInfo.InvariantCulture) + "\t4", await OkAsync(broker, "groups describe --group g"), StringComparison.Ordinal);
        }

        await FailAsync(broker, 1, "groups reset-offsets --group g --to-latest --to-earliest");
        await FailAsync(broker, 1, "groups reset-offsets --group g --by-duration soon");
        await OkAsync(broker, "groups delete --group g");
        await FailAsync(broker, 1, "groups describe --group g");
    }

    [Fact]
    public async Task Group_with_the_consumer_protocol_is_shown_with_its_members_and_not_reset_under_them()
    {
        await using var broker = await StartAsync();
        await OkAsync(broker, "topics create --topic t --partitions 2");
        var consumer = new TestConsumer(broker, "g");
        await TestConsumer.SettleAsync(consumer);
        var shown = await OkAsync(broker, "groups describe --group g");
        Assert.Contains("State: Stable\tProtocol: uniform\tMembers: 1", shown, StringComparison.Ordinal);
        Assert.Contains("t\t1\t-\t0\t-\t" + consumer.Id, shown, StringComparison.Ordinal);
        Assert.Contains("has members", await FailAsync(broker, 1, "groups reset-offsets --group g --topic t --to-latest --execute"), StringComparison.Ordinal);
        await consumer.LeaveAsync();
        await OkAsync(broker, "groups reset-offsets --group g --topic t --to-latest --execute");
        Assert.Contains("State: Empty", await OkAsync(broker, "groups describe --group g"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_rules_and_quotas_are_managed()
    {
        await using var broker = await StartAsync(("authorizer.class.name", "kafka.security.authorizer.AclAuthorizer"), ("allow.everyone.if.no.acl.found", "true"));
        await OkAsync(broker, "users set --user alice --mechanism SCRAM-SHA-256", "secret\n");
        Assert.Equal("alice\tSCRAM-SHA-256 (4096)", (await OkAsync(broker, "users list")).Trim());
        await OkAsync(broker, "users delete --user alice --mechanism SCRAM-SHA-256");
        await FailAsync(broker, 1, "users delete --user alice --mechanism SCRAM-SHA-256");
        await FailAsync(broker, 1, "users set --user alice", "\n");

        await OkAsync(broker, "acls add --topic t --pattern prefixed --allow-principal User:alice --operation read --operation write");
        Assert.Equal(2, (await OkAsync(broker, "acls list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await OkAsync(broker, "acls remove --topic t --pattern prefixed --operation write");
        Assert.Contains("Read", Assert.Single((await OkAsync(broker, "acls list --topic t")).Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);

        await OkAsync(broker, "quotas set --client-id app --add producer_byte_rate=1048576");
        Assert.Equal("client-id=app\tproducer_byte_rate=1048576", (await OkAsync(broker, "quotas list")).Trim());
        await OkAsync(broker, "quotas set --client-id app --delete producer_byte_rate");
        Assert.Equal("", await OkAsync(broker, "quotas list"));
    }

    [Fact]
    public async Task Perf_measures_and_dump_shows_what_is_in_a_segment()
    {
        var folder = Directory.CreateTempSubdirectory("broker-dump").FullName;
        try
        {
            await using (var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0, DataDirectory = folder }))
            {
                await OkAsync(broker, "topics create --topic t --partitions 1");
                Assert.StartsWith("5000 records of 10 bytes", await OkAsync(broker, "perf produce --topic t --records 5000 --record-size 10 --batch-size 1024"), StringComparison.Ordinal);
                Assert.StartsWith("5000 records", await OkAsync(broker, "perf consume --topic t"), StringComparison.Ordinal);
                await OkAsync(broker, "produce --topic t --key-separator :", "key:value\n");
                var dump = await OkAsync(broker, "dump-log --records --file " + Path.Combine(folder, "t-0", "00000000000000000000.log"));
                Assert.Contains("baseOffset: 0 ", dump, StringComparison.Ordinal);
                Assert.Contains("offset: 5000", dump, StringComparison.Ordinal);
                Assert.Contains("key: key payload: value", dump, StringComparison.Ordinal);
                Assert.DoesNotContain("isvalid: False", dump, StringComparison.Ordinal);
                await FailAsync(broker, 1, "dump-log --file " + Path.Combine(folder, "nothing.log"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("topics", 2)]
    [InlineData("topics nonsense", 2)]
    [InlineData("topics create --nonsense", 2)]
    [InlineData("topics create --topic", 2)]
    [InlineData("topics list --client-set nonsense=1", 2)]
    [InlineData("topics list --bootstrap-server 127.0.0.1:1", 1)]
    [InlineData("topics --help", 0)]
    [InlineData("groups reset-offsets --help", 0)]
    public async Task Exit_code_says_what_went_wrong(string line, int expected)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await ToolCommands.RunAsync(line.Split(' '), TextReader.Null, output, errors, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(expected, code);
        Assert.NotEqual("", expected == 0 ? output.ToString() : errors.ToString());
    }

    [Fact]
    public async Task Metrics_health_and_lag_are_served_and_other_requests_refused()
    {
        await using var broker = await StartAsync();
        using var metrics = new PrometheusText(broker.Server.Metrics.Meter);
        await using var http = new HttpServer(new IPEndPoint(IPAddress.Loopback, 0), MonitoringPages.Of(broker.Server, metrics), TimeProvider.System);
        await OkAsync(broker, "topics create --topic t --partitions 1");
        await OkAsync(broker, "produce --topic t", "x\ny\n");
        await OkAsync(broker, "consume --topic t --from-beginning --max-records 1 --group g");
        broker.Clock.Advance(TimeSpan.FromMilliseconds(LagMonitor.IntervalMs));
        var text = await GetAsync(http, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK", text, StringComparison.Ordinal);
        Assert.Contains("kafka_broker_requests_total{api=\"Produce\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE kafka_broker_request_duration_seconds histogram", text, StringComparison.Ordinal);
        Assert.Contains("kafka_broker_group_lag{group=\"g\",topic=\"t\",partition=\"0\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("200", await GetAsync(http, "GET /health HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.Contains("200", await GetAsync(http, "HEAD /ready?x=1 HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.Contains("\"lag\":1,\"status\":\"ok\"", await GetAsync(http, "GET /lag HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404", await GetAsync(http, "GET /etc/passwd HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405", await GetAsync(http, "POST /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await GetAsync(http, "nonsense\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await GetAsync(http, new string('x', HttpServer.MaxHeadBytes)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1:5 2:5 3:5 4:5 5:5 6:5 7:5 8:5 9:5 10:5", 10, "Ok")]
    [InlineData("1:5 2:6 3:7 4:8 5:9 6:10 7:11 8:12 9:13 10:14", 10, "Warning")]
    [InlineData("1:5 2:6 3:7 4:8 5:9 6:8 7:11 8:12 9:13 10:14", 10, "Ok")]
    [InlineData("1:5 1:5 1:5 1:5 1:6 1:6 1:6 1:6 1:6 1:7", 10, "Stalled")]
    [InlineData("1:5 2:6 3:7 4:8 5:9 6:10 7:11 8:12 9:13 10:14", 30, "Stopped")]
    [InlineData("1:5 2:6 3:0 4:8 5:9 6:10 7:11 8:12 9:13 10:14", 10, "Ok")]
    [InlineData("1:5 2:6 3:7", 10, "Ok")]
    [InlineData("1:5 2:6 3:0", 100, "Ok")]
    public void Lag_is_judged_over_a_window_of_commits(string commits, int nowSeconds, string expected)
    {
        var window = new LagWindow();
        var time = 0;
        foreach (var commit in commits.Split(' '))
        {
            var parts = commit.Split(':');
            var offset = long.Parse(parts[0], CultureInfo.InvariantCulture);
            window.Observe(offset, ++time * 1000, offset + long.Parse(parts[1], CultureInfo.InvariantCulture));
        }

        Assert.Equal(Enum.Parse<LagStatus>(expected), window.Judge(nowSeconds * 1000, hasMembers: true));
    }

    [Fact]
    public void Group_that_was_left_alone_with_records_to_read_is_stopped_even_after_one_commit()
    {
        var window = new LagWindow();
        window.Observe(1, 1000, 5);
        Assert.Equal(LagStatus.Ok, window.Judge(30_000, hasMembers: false));
        Assert.Equal(LagStatus.Stopped, window.Judge(62_000, hasMembers: false));
        Assert.Equal(LagStatus.Ok, window.Judge(62_000, hasMembers: true));
    }

    private static Task<TestBroker> StartAsync(params (string Key, string Value)[] settings) =>
        TestBroker.StartAsync(new BrokerOptions { Port = 0, Settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value) });

    private static async Task<string> GetAsync(HttpServer server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.EndPoint);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync();
    }

    private static async Task<string> OkAsync(TestBroker broker, string line, string input = "")
    {
        var (code, output, errors) = await RunAsync(broker, line, input);
        Assert.True(code == 0, $"{line}: {errors}");
        return output;
    }

    private static async Task<string> FailAsync(TestBroker broker, int expected, string line, string input = "")
    {
        var (code, _, errors) = await RunAsync(broker, line, input);
        Assert.Equal(expected, code);
        Assert.NotEqual("", errors);
        return errors;
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(TestBroker broker, string line, string input)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter();
        string[] args = [.. line.Split(' '), "--bootstrap-server", "127.0.0.1:" + broker.Port.ToString(CultureInfo.InvariantCulture)];
        // The broker's clock stands still, so that no wait of it ends: the tool's own clock must be the same for times to agree.
        var code = await ToolCommands.RunAsync(args, new StringReader(input), output, errors, broker.Clock, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }
}
