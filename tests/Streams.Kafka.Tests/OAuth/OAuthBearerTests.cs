using System.Text;
using Broker.Lite;
using Streams.Core;
using Streams.Kafka.Tests.Faults;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests.OAuth;

/// <summary>SASL OAUTHBEARER with a real broker that validates signatures: the library's own connections and both libraries' clients.</summary>
public sealed class OAuthBearerTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TokenIssuer _issuer = new();
    private BrokerServer? _broker;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _broker = await BrokerServer.StartAsync(
        new BrokerOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["listeners"] = "SASL_PLAINTEXT://127.0.0.1:0",
                ["sasl.enabled.mechanisms"] = "OAUTHBEARER",
                ["sasl.oauthbearer.jwks.endpoint.url"] = _issuer.KeyUrl,
                ["sasl.oauthbearer.clock.skew.seconds"] = "0",
                ["connection.failed.authentication.delay.ms"] = "0",
            },
        },
        Token);

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        _issuer.Dispose();
    }

    [Theory]
    [InlineData(Library.Confluent)]
    [InlineData(Library.Managed)]
    public async Task Provider_is_asked_by_all_clients(string library)
    {
        var asked = 0;
        await using var cluster = Cluster(Library.Settings(library), _ =>
        {
            Interlocked.Increment(ref asked);
            return Task.FromResult(new OAuthBearerToken(_issuer.Token("alice", TimeSpan.FromHours(1)), TimeProvider.System.GetUtcNow().AddHours(1), "alice"));
        });
        await RoundTripAsync(cluster);

        // One for administration, producer and consumer together.
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData(Library.Confluent)]
    [InlineData(Library.Managed)]
    public async Task Token_of_an_endpoint_lets_in_and_is_asked_for_as_the_grant_says(string library)
    {
        var url = _issuer.Serve(number => number == 0
            ? (503, "come again")
            : (200, $$"""{"access_token":"{{_issuer.Token("service", TimeSpan.FromHours(1))}}","token_type":"Bearer","expires_in":3600}"""));
        await using var cluster = Cluster(new()
        {
            ["sasl.oauthbearer.method"] = "oidc",
            ["sasl.oauthbearer.token.endpoint.url"] = url.ToString(),
            ["sasl.oauthbearer.client.id"] = "my:client",
            ["sasl.oauthbearer.client.secret"] = "top secret",
            ["sasl.oauthbearer.scope"] = "kafka read",
            ["client.library"] = library,
        });
        await RoundTripAsync(cluster);
        var expected = "Basic " + Convert.ToBase64String("my%3Aclient:top%20secret"u8) + " grant_type=client_credentials&scope=kafka+read";
        Assert.Equal([expected, expected], _issuer.Requests);
    }

    [Fact]
    public async Task Endpoint_that_refuses_the_client_is_an_error_with_its_reason()
    {
        var url = _issuer.Serve(_ => (401, """{"error":"invalid_client"}"""));
        await using var cluster = Cluster(new()
        {
            ["sasl.oauthbearer.method"] = "oidc",
            ["sasl.oauthbearer.token.endpoint.url"] = url.ToString(),
            ["sasl.oauthbearer.client.id"] = "a",
            ["sasl.oauthbearer.client.secret"] = "b",
        });
        using var admin = cluster.CreateAdmin("test");
        var failure = await Assert.ThrowsAsync<ClusterException>(() => admin.ListTopicsAsync(Token));
        Assert.Contains("invalid_client", failure.Message, StringComparison.Ordinal);
        Assert.Contains("401", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_that_the_broker_refuses_is_an_error_that_does_not_show_it()
    {
        using var stranger = new TokenIssuer();
        var token = stranger.Token("alice", TimeSpan.FromHours(1));
        await using var cluster = Cluster([], _ => Task.FromResult(new OAuthBearerToken(token, TimeProvider.System.GetUtcNow().AddHours(1), "alice")));
        using var admin = cluster.CreateAdmin("test");
        var failure = await Assert.ThrowsAsync<ClusterException>(() => admin.ListTopicsAsync(Token));
        Assert.Contains("token of alice", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(token, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unsecured_token_is_made_from_the_settings_and_refused_by_a_broker_that_wants_signatures()
    {
        await using var cluster = Cluster(new()
        {
            ["enable.sasl.oauthbearer.unsecure.jwt"] = "true",
            ["sasl.oauthbearer.config"] = "principal=bob scope=a,b lifeSeconds=60 extension_traceId=123",
        });
        using var admin = cluster.CreateAdmin("test");
        var failure = await Assert.ThrowsAsync<ClusterException>(() => admin.ListTopicsAsync(Token));
        Assert.Contains("token of bob", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_are_renewed_before_their_tokens_end()
    {
        // The broker ends a connection with its token. An operation that is under way all the time never notices.
        var asked = 0;
        await using var cluster = Cluster([], _ =>
        {
            Interlocked.Increment(ref asked);
            var life = TimeSpan.FromSeconds(4);

            // A token ends at a whole second.
            var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            return Task.FromResult(new OAuthBearerToken(_issuer.Token("alice", life), now + life, "alice"));
        });
        using var admin = cluster.CreateAdmin("test");
        var start = TimeProvider.System.GetTimestamp();
        while (asked < 3)
        {
            await admin.ListTopicsAsync(Token);
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, "no third token was asked for");
        }
    }

    /// <summary>The same under records: requests wait for their answers on the old connection while the next one is used.</summary>
    [Fact]
    public async Task Managed_clients_write_and_read_on_while_their_connections_are_renewed()
    {
        var asked = 0;
        var settings = Library.Settings(Library.Managed);
        await using var cluster = Cluster(settings, _ =>
        {
            Interlocked.Increment(ref asked);
            var life = TimeSpan.FromSeconds(4);
            var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            return Task.FromResult(new OAuthBearerToken(_issuer.Token("alice", life), now + life, "alice"));
        });
        await Traffic.CreateTopicAsync(cluster, Token);
        using var traffic = new Traffic(cluster, isTransactional: false);
        var start = TimeProvider.System.GetTimestamp();
        while (Volatile.Read(ref asked) < 4)
        {
            traffic.Read(1_000);
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, "no further token was asked for");
        }

        traffic.Finish();
    }

    [Theory]
    [InlineData("", "somewhere to get tokens from")]
    [InlineData("sasl.oauthbearer.method=magic", "sasl.oauthbearer.method is 'magic'")]
    [InlineData("sasl.oauthbearer.method=oidc", "sasl.oauthbearer.token.endpoint.url")]
    [InlineData("sasl.oauthbearer.method=oidc;sasl.oauthbearer.token.endpoint.url=ftp://x", "not an http or https address")]
    [InlineData("enable.sasl.oauthbearer.unsecure.jwt=yes", "neither true nor false")]
    [InlineData("enable.sasl.oauthbearer.unsecure.jwt=true", "principal=NAME")]
    [InlineData("enable.sasl.oauthbearer.unsecure.jwt=true;sasl.oauthbearer.config=principal=a color=red", "'color'")]
    [InlineData("enable.sasl.oauthbearer.unsecure.jwt=true;sasl.oauthbearer.config=principal=a lifeSeconds=0", "lifeSeconds=0")]
    [InlineData("enable.sasl.oauthbearer.unsecure.jwt=true;sasl.oauthbearer.method=oidc", "one place")]
    public void Settings_that_cannot_be_used_are_refused_at_once(string settings, string reason)
    {
        var config = settings.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var failure = Assert.Throws<ConfigException>(() => Cluster(config));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b", 60, "characters")]
    [InlineData("", 60, "characters")]
    [InlineData("a\u0001b", 60, "characters")]
    [InlineData("ok", -1, "expired")]
    public async Task What_is_not_a_token_is_not_sent(string value, int seconds, string reason)
    {
        await using var cluster = Cluster([], _ => Task.FromResult(new OAuthBearerToken(value, TimeProvider.System.GetUtcNow().AddSeconds(seconds), "alice")));
        using var admin = cluster.CreateAdmin("test");
        var failure = await Assert.ThrowsAsync<ClusterException>(() => admin.ListTopicsAsync(Token));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Provider_that_nobody_would_ask_is_refused()
    {
        var failure = Assert.Throws<ConfigException>(() => new KafkaCluster("localhost:9092", new Dictionary<string, string>(), _ => throw new InvalidOperationException("not asked")));
        Assert.Contains("OAUTHBEARER", failure.Message, StringComparison.Ordinal);
    }

    private static async Task RoundTripAsync(KafkaCluster cluster)
    {
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([new NewTopic("t", 1, -1, new Dictionary<string, string>())], Token);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        producer.Send(producer.GetTopic("t"), 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));
        producer.Flush(Token);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        consumer.Assign([new TopicPartitionOffset(new TopicPartition("t", 0), 0)]);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(1));
            if (batch is { Count: > 0 })
            {
                Assert.Equal("v", Encoding.UTF8.GetString(batch.Value(0)));
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, "the record did not come");
        }
    }

    private KafkaCluster Cluster(Dictionary<string, string> settings, Func<CancellationToken, Task<OAuthBearerToken>>? provider = null)
    {
        settings["security.protocol"] = "sasl_plaintext";
        settings["sasl.mechanism"] = "OAUTHBEARER";
        var servers = $"127.0.0.1:{_broker!.EndPoint!.Port}";
        return provider is null ? new KafkaCluster(servers, settings) : new KafkaCluster(servers, settings, provider);
    }
}
