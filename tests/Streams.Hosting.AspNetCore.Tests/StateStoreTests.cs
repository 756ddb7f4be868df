using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;

namespace Streams.Hosting.AspNetCore.Tests;

/// <summary>Stores over HTTP, from web applications on an embedded broker.</summary>
public sealed class StateStoreTests
{
    private const int Partitions = 4;
    private const int Keys = 60;
    private const long Start = 1_700_000_000_000;

    [Fact]
    public async Task Any_instance_answers_for_any_key()
    {
        await using var cluster = await Instance.ClusterAsync(Partitions, "in");
        await using var one = await StartCountsAsync(cluster);
        await using var two = await StartCountsAsync(cluster);
        await BothHaveTasksAsync(one, two);
        Produce(cluster, 3);
        await CaughtUpAsync(one, 3);

        foreach (var instance in (Instance[])[one, two])
        {
            var partitions = new HashSet<string>();
            for (var key = 0; key < Keys; key++)
            {
                using var response = await instance.Http.GetAsync($"/counts/k{key}");
                Assert.Equal(3, await response.Content.ReadFromJsonAsync<long>());
                Assert.Equal("false", Header(response, "Streams-Stale"));
                Assert.Equal(Instance.Murmur2Partition(Encoding.UTF8.GetBytes($"k{key}"), Partitions).ToString(), Header(response, "Streams-Partition"));
                partitions.Add(Header(response, "Streams-Partition"));
            }

            Assert.Equal(Partitions, partitions.Count);
            using var absent = await instance.Http.GetAsync("/counts/nobody");
            Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
            Assert.Equal("application/problem+json", absent.Content.Headers.ContentType!.MediaType);
            Assert.Equal(Keys, (await instance.Http.GetFromJsonAsync<JsonElement>("/counts/$count")).GetProperty("approximateCount").GetInt64());
        }

        var metadata = await one.Http.GetFromJsonAsync<JsonElement>("/counts/$metadata");
        var owners = metadata.GetProperty("partitions").EnumerateArray().Select(entry => entry.GetProperty("active").GetString()).ToList();
        Assert.Equal(Partitions, owners.Count);
        Assert.Equal(new[] { one.Streams.ApplicationServer.ToString(), two.Streams.ApplicationServer.ToString() }.Order(), owners.Distinct().Order());
        var lag = await one.Http.GetFromJsonAsync<JsonElement>("/counts/$lag");
        Assert.All(lag.GetProperty("partitions").EnumerateArray(), entry => Assert.Equal(0, entry.GetProperty("lag").GetInt64()));
    }

    [Fact]
    public async Task Pages_of_a_list_hold_every_entry_once_whoever_has_it()
    {
        await using var cluster = await Instance.ClusterAsync(Partitions, "in");
        await using var one = await StartCountsAsync(cluster);
        await using var two = await StartCountsAsync(cluster);
        await BothHaveTasksAsync(one, two);
        Produce(cluster, 2);
        await CaughtUpAsync(one, 2);

        foreach (var limit in (int[])[7, 1, 1000])
        {
            Assert.Equal(Enumerable.Range(0, Keys).Select(key => $"k{key}").Order(StringComparer.Ordinal), await ReadAllAsync(two, "/counts?", limit));
            Assert.Equal(Enumerable.Range(20, 10).Select(key => $"k{key}"), await ReadAllAsync(two, "/counts?from=k20&to=k29&", limit));
            Assert.Empty(await ReadAllAsync(two, "/counts?from=x&", limit));
            var onePartition = await ReadAllAsync(two, "/counts?partition=1&", limit);
            Assert.All(onePartition, key => Assert.Equal(1, Instance.Murmur2Partition(Encoding.UTF8.GetBytes(key), Partitions)));
            Assert.NotEmpty(onePartition);
        }
    }

    [Fact]
    public async Task Windows_sessions_and_versions_are_asked_by_time()
    {
        await using var cluster = await Instance.ClusterAsync(1, "in");
        await using var app = await Instance.StartAsync(
            cluster,
            builder =>
            {
                var stream = builder.Stream<string, string>("in");
                stream.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(1))).Count(Materialized.As("windows").WithRetention(TimeSpan.FromHours(1)));
                stream.GroupByKey().WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMilliseconds(500))).Count(Materialized.As("sessions").WithRetention(TimeSpan.FromHours(1)));
                stream.ToTable(Materialized.As("versions").WithHistoryRetention(TimeSpan.FromHours(1)));
            },
            web =>
            {
                web.MapWindowStore<string, long>("windows");
                web.MapSessionStore<string, long>("sessions");
                web.MapVersionedStore<string, string>("versions");
            },
            named: false);
        Instance.Produce(cluster, "in", 1, Enumerable.Range(0, 5).SelectMany(second => Enumerable.Range(0, second + 1).Select(_ => ("k"u8.ToArray(), $"v{second}", Start + (second * 1000L)))));
        await Instance.UntilAsync(() => app.Streams.ProcessedRecords == 15);

        Assert.Equal("3", await app.GetAsync($"/windows/k?at={Start + 2000}"));
        Assert.Equal("3", await app.GetAsync("/windows/k?at=2023-11-14T22:13:22Z"));
        using (var none = await app.Http.GetAsync($"/windows/k?at={Start + 2001}")) Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal($$"""{"entries":[{"key":"k","start":{{Start + 1000}},"value":2},{"key":"k","start":{{Start + 2000}},"value":3}]}""", await app.GetAsync($"/windows/k?from={Start + 1000}&to={Start + 2000}"));
        Assert.Equal($$"""{"entries":[{"key":"k","start":{{Start}},"value":1}],"truncated":true}""", await app.GetAsync("/windows?limit=1"));
        Assert.Equal("""{"entries":[]}""", await app.GetAsync("/windows/other"));

        Assert.Equal($$"""{"entries":[{"key":"k","start":{{Start + 4000}},"end":{{Start + 4000}},"value":5}]}""", await app.GetAsync($"/sessions/k?from={Start + 3500}"));
        Assert.Equal(5, JsonDocument.Parse(await app.GetAsync("/sessions")).RootElement.GetProperty("entries").GetArrayLength());

        Assert.Equal($$"""{"value":"v4","timestamp":{{Start + 4000}},"validTo":null}""", await app.GetAsync("/versions/k"));
        Assert.Equal($$"""{"value":"v1","timestamp":{{Start + 1000}},"validTo":{{Start + 2000}}}""", await app.GetAsync($"/versions/k?asOf={Start + 1999}"));
        foreach (var bad in (string[])["/windows/k?at=noon", "/windows/k?from=-1", "/sessions/k?limit=0", "/sessions?limit=many", "/versions", "/versions/k?asOf=1&asOf=2", "/windows?partition=1", "/windows?partition=x"])
        {
            using var response = await app.Http.GetAsync(bad);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task Every_key_can_be_asked_for()
    {
        string[] keys = ["a/b", "a%2Fb", "50%", "ä ö?&#=+", "$count", "..", "", "😀", "\"\\\n"];
        await using var cluster = await Instance.ClusterAsync(Partitions, "in");
        await using var one = await StartCountsAsync(cluster);
        await using var two = await StartCountsAsync(cluster);
        await BothHaveTasksAsync(one, two);
        Instance.Produce(cluster, "in", Partitions, keys.SelectMany((key, index) => Enumerable.Repeat((Encoding.UTF8.GetBytes(key), "v", Start), index + 1)));
        await Instance.UntilAsync(() => one.Streams.ProcessedRecords + two.Streams.ProcessedRecords == keys.Length * (keys.Length + 1) / 2);
        foreach (var instance in (Instance[])[one, two])
        {
            foreach (var (index, key) in keys.Index())
            {
                Assert.Equal($"{index + 1}", await instance.GetAsync("/counts?key=" + Uri.EscapeDataString(key)));

                // Names of other routes, and what clients and servers take out of a path, have the other form only.
                if (key is not ("$count" or ".." or "")) Assert.Equal($"{index + 1}", await instance.GetAsync("/counts/" + Uri.EscapeDataString(key)));
            }
        }
    }

    [Fact]
    public async Task Keys_are_read_as_their_type_and_what_is_none_is_refused()
    {
        await using var cluster = await Instance.ClusterAsync(1, "in");
        await using var app = await Instance.StartAsync(
            cluster,
            builder => builder.Table<int, string>("in", null, Materialized.As("numbers")),
            web =>
            {
                web.MapStateStore<int, string>("numbers");
                web.MapStateStore<int, string>("numbers", new StateStoreEndpointOptions<int> { Pattern = "/hex", ParseKey = text => int.Parse(text, System.Globalization.NumberStyles.HexNumber, null) });
            },
            named: false);
        var key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, -42);
        Instance.Produce(cluster, "in", 1, [(key, "it", Start)]);
        await Instance.UntilAsync(() => app.Streams.ProcessedRecords == 1);
        Assert.Equal("\"it\"", await app.GetAsync("/numbers/-42"));
        Assert.Equal("\"it\"", await app.GetAsync("/hex/FFFFFFD6"));
        Assert.Equal("""{"entries":[{"key":-42,"value":"it"}]}""", await app.GetAsync("/numbers"));
        foreach (var text in (string[])["forty-two", "4.2", "99999999999", "%20", "1,000"])
        {
            using var response = await app.Http.GetAsync("/numbers/" + text);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains("Int32", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using (var twice = await app.Http.GetAsync("/numbers?key=1&key=2")) Assert.Equal(HttpStatusCode.BadRequest, twice.StatusCode);
        Assert.Equal("\"it\"", await app.GetAsync("/numbers/-42?key=1"));
        foreach (var cursor in (string[])["x", "-1.", "1.", "0.AAA", "0.!!!!", "0.AAAAAAAA"])
        {
            using var response = await app.Http.GetAsync("/numbers?cursor=" + cursor);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task Request_that_was_sent_on_is_not_sent_on_again()
    {
        await using var cluster = await Instance.ClusterAsync(Partitions, "in");
        await using var one = await StartCountsAsync(cluster);
        await using var two = await StartCountsAsync(cluster);
        await BothHaveTasksAsync(one, two);
        Produce(cluster, 1);
        await CaughtUpAsync(one, 1);
        var statuses = new HashSet<HttpStatusCode>();
        for (var key = 0; key < Keys; key++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/counts/k{key}");
            request.Headers.Add("Streams-Hop", "active");
            using var response = await one.Http.SendAsync(request);
            statuses.Add(response.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.MisdirectedRequest], statuses.Order());
    }

    [Fact]
    public async Task Standby_answers_for_an_instance_that_does_not_and_says_so()
    {
        await using var cluster = await Instance.ClusterAsync(1, "in");

        // Nothing listens where the first instance says that it can be asked: to the second it is as good as dead, while its task goes on.
        await using var one = await StartCountsAsync(cluster, config => config with { NumStandbyReplicas = 1, ApplicationServer = $"127.0.0.1:{Ports.Take()}" });
        Produce(cluster, 4);
        await Instance.UntilAsync(() => one.Streams.ProcessedRecords == 4 * Keys);
        await using var two = await Instance.StartAsync(
            cluster,
            Counts,
            web =>
            {
                web.MapStateStore<string, long>("counts", new StateStoreEndpointOptions<string> { MaxStaleLag = 0 });
                web.MapStateStore<string, long>("counts", new StateStoreEndpointOptions<string> { Pattern = "/strict", RetryTimeout = TimeSpan.Zero });
            },
            config => config with { NumStandbyReplicas = 1 });
        await Instance.UntilAsync(() => two.Streams.State == KafkaStreamsState.Running && two.Streams.MetadataForLocalThreads().Any(thread => thread.StandbyTasks.Count > 0));
        for (var key = 0; key < Keys; key++)
        {
            using var response = await two.Http.GetAsync($"/counts/k{key}");
            Assert.Equal("4", await response.Content.ReadAsStringAsync());
            Assert.Equal("true", Header(response, "Streams-Stale"));
            Assert.Equal("0", Header(response, "Streams-Lag"));
        }

        using var strict = await two.Http.GetAsync("/strict/k1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, strict.StatusCode);
        Assert.Equal("1", Header(strict, "Retry-After"));
        Assert.Contains("refused", await strict.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var list = await two.Http.GetAsync("/counts?limit=5");
        Assert.Equal("true", Header(list, "Streams-Stale"));
    }

    /// <summary>A copy that comes to the end of the changelog in the middle of a question: the answer has to have all that its lag says that it has.</summary>
    [Fact]
    public async Task Standby_answers_with_what_it_has_when_its_lag_is_known()
    {
        await using var cluster = await Instance.ClusterAsync(1, "in");
        await using var one = await StartCountsAsync(cluster, config => config with { NumStandbyReplicas = 1, ApplicationServer = $"127.0.0.1:{Ports.Take()}" });
        var time = new HookedTime();
        await using var two = await Instance.StartAsync(
            cluster,
            Counts,
            web => web.MapStateStore<string, long>("counts", new StateStoreEndpointOptions<string> { MaxStaleLag = 0 }),
            config => config with { NumStandbyReplicas = 1, TimeProvider = TimeProvider.System },
            services => services.AddSingleton<TimeProvider>(time));
        await Instance.UntilAsync(() => two.Streams.State == KafkaStreamsState.Running && two.Streams.MetadataForLocalThreads().Any(thread => thread.StandbyTasks.Count > 0));
        var rounds = 0;
        time.OnAsked = () =>
        {
            Produce(cluster, 1);
            rounds++;
            Assert.True(SpinWait.SpinUntil(() => CopyOf(two, rounds), TimeSpan.FromSeconds(60)), "the standby has not followed");
        };
        time.OnAsked();
        using var response = await two.Http.GetAsync("/counts/k1");
        Assert.Equal("true", Header(response, "Streams-Stale"));
        Assert.Equal($"{rounds}", await response.Content.ReadAsStringAsync());
        Assert.True(rounds > 1, "nothing has happened in the middle of the question");

        static bool CopyOf(Instance instance, int count)
        {
            var store = instance.Streams.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()).EnableStaleStores());
            return Enumerable.Range(0, Keys).All(key => store.TryGet($"k{key}", out var found) && found == count);
        }
    }

    [Fact]
    public async Task Answer_contains_what_an_earlier_one_did_when_it_is_asked_to()
    {
        await using var cluster = await Instance.ClusterAsync(1, "in");
        await using var app = await StartCountsAsync(cluster, options: new StateStoreEndpointOptions<string> { RetryTimeout = TimeSpan.FromSeconds(60) });
        Produce(cluster, 1);
        await CaughtUpAsync(app, 1);
        using var first = await app.Http.GetAsync("/counts/k1");
        Assert.Equal($"in:0={Keys}", Header(first, "Streams-Position"));

        // Asked for input that is not there yet, it waits until it is.
        using var request = new HttpRequestMessage(HttpMethod.Get, "/counts/k1");
        request.Headers.Add("Streams-Position", $"in:0={2 * Keys}");
        var asked = app.Http.SendAsync(request);
        Produce(cluster, 1);
        using var second = await asked;
        Assert.Equal("2", await second.Content.ReadAsStringAsync());

        foreach (var bad in (string[])["in", "in:0", "in:0=x", "=1", "in:-1=1"])
        {
            using var wrong = new HttpRequestMessage(HttpMethod.Get, "/counts/k1");
            wrong.Headers.TryAddWithoutValidation("Streams-Position", bad);
            using var refused = await app.Http.SendAsync(wrong);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Authorization_is_the_pipelines_and_goes_along_when_it_is_allowed_to(bool forward)
    {
        await using var cluster = await Instance.ClusterAsync(Partitions, "in");
        await using var one = await StartGuardedAsync(cluster, forward);
        await using var two = await StartGuardedAsync(cluster, forward);
        await BothHaveTasksAsync(one, two);
        Produce(cluster, 1);
        using (var stranger = await one.Http.GetAsync("/counts/k1")) Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        one.Http.DefaultRequestHeaders.Add("Authorization", "Let me in");
        await Instance.UntilAsync(() => one.Streams.ProcessedRecords + two.Streams.ProcessedRecords == Keys);
        var statuses = new HashSet<HttpStatusCode>();
        for (var key = 0; key < Keys; key++)
        {
            using var response = await one.Http.GetAsync($"/counts/k{key}");
            statuses.Add(response.StatusCode);
        }

        Assert.Equal(forward ? [HttpStatusCode.OK] : [HttpStatusCode.OK, HttpStatusCode.BadGateway], statuses.Order());
    }

    [Fact]
    public async Task Global_store_is_answered_by_everybody()
    {
        await using var cluster = await Instance.ClusterAsync(Partitions, "in", "other");
        Produce(cluster, 1);
        await using var app = await Instance.StartAsync(
            cluster,
            builder =>
            {
                builder.GlobalTable<string, string>("in", null, Materialized.As("everything"));
                builder.Stream<string, string>("other").ForEach((_, _) => { });
            },
            web => web.MapStateStore<string, string>("everything"));
        await Instance.UntilAsync(() => app.Streams.State == KafkaStreamsState.Running);
        Assert.Equal("\"v\"", await app.GetAsync("/everything/k7"));
        Assert.Equal(Keys, (await ReadAllAsync(app, "/everything?", 7)).Count);
        Assert.Contains($"{Keys}", await app.GetAsync("/everything/$count"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_out_of_bounds_and_keys_without_serde_are_refused_when_mapped()
    {
        await using var web = WebApplication.CreateSlimBuilder().Build();
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { RetryTimeout = TimeSpan.FromHours(1) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { ForwardTimeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { MaxStaleLag = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { Scheme = "ftp" }));
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { MaxLimit = 100_000 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => web.MapStateStore<string, long>("counts", new() { DefaultLimit = 2000 }));
        Assert.Throws<ArgumentException>(() => web.MapStateStore<Uri, long>("counts"));
        Assert.Throws<ArgumentException>(() => web.MapStateStore<string, long>(" "));
    }

    private static void Counts(StreamsBuilder builder) => builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts").WithCachingDisabled());

    private static Task<Instance> StartCountsAsync(EmbeddedCluster cluster, Func<StreamsConfig, StreamsConfig>? configure = null, StateStoreEndpointOptions<string>? options = null) =>
        Instance.StartAsync(cluster, Counts, web => web.MapStateStore<string, long>("counts", options ?? new() { RetryTimeout = TimeSpan.FromSeconds(60) }), configure);

    private static Task<Instance> StartGuardedAsync(EmbeddedCluster cluster, bool forward) => Instance.StartAsync(
        cluster,
        Counts,
        web => web.MapStateStore<string, long>("counts", new() { ForwardAuthorization = forward, RetryTimeout = TimeSpan.FromSeconds(60) }).RequireAuthorization(),
        services: services =>
        {
            services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, LetMeIn>("test", null);
            services.AddAuthorization();
        });

    private static void Produce(EmbeddedCluster cluster, int times) =>
        Instance.Produce(cluster, "in", PartitionsOf(cluster), Enumerable.Range(0, times).SelectMany(_ => Enumerable.Range(0, Keys).Select(key => (Encoding.UTF8.GetBytes($"k{key}"), "v", Start))));

    private static int PartitionsOf(EmbeddedCluster cluster)
    {
        using var admin = cluster.CreateAdmin("test");
        return admin.DescribeTopicsAsync(["in"], CancellationToken.None).GetAwaiter().GetResult()["in"];
    }

    private static Task BothHaveTasksAsync(Instance one, Instance two) => Instance.UntilAsync(() =>
        one.Streams.State == KafkaStreamsState.Running && two.Streams.State == KafkaStreamsState.Running
        && new[] { one, two }.All(instance => instance.Streams.MetadataForAllStreamsClients() is { Count: 2 } all && all.All(host => host.ActiveTasks.Count > 0)));

    private static Task CaughtUpAsync(Instance instance, long count) => Instance.UntilAsync(async () =>
    {
        for (var key = 0; key < Keys; key++)
        {
            using var response = await instance.Http.GetAsync($"/counts/k{key}");
            if (!response.IsSuccessStatusCode || await response.Content.ReadAsStringAsync() != $"{count}") return false;
        }

        return true;
    });

    private static async Task<List<string>> ReadAllAsync(Instance instance, string path, int limit)
    {
        var keys = new List<string>();
        string? cursor = null;
        for (var pages = 0; pages <= Keys + Partitions; pages++)
        {
            var page = JsonDocument.Parse(await instance.GetAsync($"{path}limit={limit}{(cursor is null ? "" : "&cursor=" + cursor)}")).RootElement;
            var entries = page.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("key").GetString()!).ToList();
            Assert.True(entries.Count <= limit);
            keys.AddRange(entries);
            if (!page.TryGetProperty("next", out var next)) return [.. keys.Order(StringComparer.Ordinal)];
            cursor = next.GetString();
        }

        throw new InvalidOperationException("The pages do not end.");
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.Single() : "";

    private sealed class LetMeIn(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers.Authorization == "Let me in"
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([], "test")), "test"))
            : AuthenticateResult.NoResult());
    }

    /// <summary>The system's clock, and what happens whenever somebody looks at it.</summary>
    private sealed class HookedTime : TimeProvider
    {
        public Action OnAsked { get; set; } = static () => { };

        public override long GetTimestamp()
        {
            OnAsked();
            return base.GetTimestamp();
        }
    }
}
