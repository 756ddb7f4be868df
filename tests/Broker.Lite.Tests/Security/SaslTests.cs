using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Broker.Lite.Host.Client;
using Broker.Lite.Security.Sasl;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Security;

public sealed class SaslTests
{
    private const string PlainUsers = "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"alice-secret\" user_bob=\"b\\\"ob\";";

    [Fact]
    public async Task Plain_lets_in_who_has_the_password_and_nobody_else()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT", ("sasl.enabled.mechanisms", "PLAIN"), ("listener.name.sasl_plaintext.plain.sasl.jaas.config", PlainUsers));
        foreach (var (user, password) in new[] { ("alice", "alice-secret"), ("bob", "b\"ob") })
        {
            var client = await ConnectAsync(broker, "PLAIN", user, password);
            Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);
        }

        foreach (var (user, password) in new[] { ("alice", "wrong"), ("alice", ""), ("carol", "alice-secret"), ("", "alice-secret") })
            await Assert.ThrowsAsync<ToolException>(() => ConnectAsync(broker, "PLAIN", user, password));
    }

    [Theory]
    [InlineData("SCRAM-SHA-256", 1)]
    [InlineData("SCRAM-SHA-512", 2)]
    public async Task Scram_lets_in_a_user_that_was_made_and_not_after_it_was_removed(string mechanism, sbyte id)
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT");
        await UpsertAsync(broker, "al=i,ce", "s€cret", id);
        var client = await ConnectAsync(broker, mechanism, "al=i,ce", "s€cret");
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);
        await Assert.ThrowsAsync<ToolException>(() => ConnectAsync(broker, mechanism, "al=i,ce", "secret"));
        await Assert.ThrowsAsync<ToolException>(() => ConnectAsync(broker, mechanism, "nobody", "s€cret"));

        var removed = await broker.Server.Connect().SendAsync(
            new AlterUserScramCredentialsRequest { Deletions = [new() { Name = "al=i,ce", Mechanism = id }] }, TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.None, removed.Results.Single().ErrorCode);
        await Assert.ThrowsAsync<ToolException>(() => ConnectAsync(broker, mechanism, "al=i,ce", "s€cret"));
    }

    [Fact]
    public async Task Scram_users_survive_a_restart_and_their_file_holds_no_password_and_is_the_owners_only()
    {
        var folder = Directory.CreateTempSubdirectory("broker-scram").FullName;
        try
        {
            await using (var broker = await SecureBroker.StartAsync(folder, "SASL_PLAINTEXT"))
                await UpsertAsync(broker, "alice", "correct horse", 1);
            var file = Path.Combine(folder, "security.json");
            Assert.DoesNotContain("correct horse", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            await using var again = await SecureBroker.StartAsync(folder, "SASL_PLAINTEXT");
            await ConnectAsync(again, "SCRAM-SHA-256", "alice", "correct horse");
            var described = await again.Server.Connect().SendAsync(new DescribeUserScramCredentialsRequest(), TestContext.Current.CancellationToken);
            Assert.Equal(("alice", (sbyte)1, 4096), (described.Results.Single().User, described.Results[0].CredentialInfos[0].Mechanism, described.Results[0].CredentialInfos[0].Iterations));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Scram_credentials_that_cannot_be_are_refused_one_by_one()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT");
        var salted = new byte[32];
        var response = await broker.Server.Connect().SendAsync(
            new AlterUserScramCredentialsRequest
            {
                Upsertions =
                [
                    new() { Name = "few", Mechanism = 1, Iterations = 4095, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "many", Mechanism = 1, Iterations = 16385, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "unknown", Mechanism = 9, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "twice", Mechanism = 1, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "twice", Mechanism = 1, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "short", Mechanism = 2, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "", Mechanism = 1, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                    new() { Name = "fine", Mechanism = 1, Iterations = 4096, Salt = new byte[8], SaltedPassword = salted },
                ],
                Deletions = [new() { Name = "gone", Mechanism = 1 }],
            },
            TestContext.Current.CancellationToken);
        var errors = response.Results.ToDictionary(result => result.User, result => result.ErrorCode);
        Assert.Equal(ErrorCode.UnacceptableCredential, errors["few"]);
        Assert.Equal(ErrorCode.UnacceptableCredential, errors["many"]);
        Assert.Equal(ErrorCode.UnsupportedSaslMechanism, errors["unknown"]);
        Assert.Equal(ErrorCode.DuplicateResource, errors["twice"]);
        Assert.Equal(ErrorCode.UnacceptableCredential, errors["short"]);
        Assert.Equal(ErrorCode.UnacceptableCredential, errors[""]);
        Assert.Equal(ErrorCode.ResourceNotFound, errors["gone"]);
        Assert.Equal(ErrorCode.None, errors["fine"]);
    }

    [Fact]
    public async Task Oauth_token_of_a_configured_key_lets_in_until_it_ends()
    {
        using var rsa = RSA.Create(2048);
        using var keys = new KeyFile(rsa.ExportSubjectPublicKeyInfoPem());
        await using var broker = await SecureBroker.StartAsync(
            "SASL_PLAINTEXT",
            ("sasl.enabled.mechanisms", "OAUTHBEARER"),
            ("sasl.oauthbearer.jwks.endpoint.url", keys.Url),
            ("sasl.oauthbearer.expected.issuer", "https://issuer"),
            ("sasl.oauthbearer.expected.audience", "kafka,other"));
        var now = broker.Clock.GetUtcNow().ToUnixTimeSeconds();
        var token = Sign(rsa, $$"""{"sub":"alice","iss":"https://issuer","aud":["x","kafka"],"iat":{{now}},"exp":{{now + 60}}}""");
        var client = await broker.ConnectAsync(("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "OAUTHBEARER"), ("sasl.oauthbearer.token", token));
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);

        broker.Clock.Advance(TimeSpan.FromSeconds(61));
        await Assert.ThrowsAsync<ToolException>(() => SecureBroker.CallAsync(client, new ListGroupsRequest()));
        Assert.Contains(broker.Log.Lines, line => line.Contains("did not authenticate again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Session_goes_on_when_the_client_authenticates_again_as_the_same_and_ends_when_as_another()
    {
        await using var broker = await SecureBroker.StartAsync(
            "SASL_PLAINTEXT", ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256"), ("sasl.jaas.config", PlainUsers), ("connections.max.reauth.ms", "10000"));
        var client = await ConnectAsync(broker, "PLAIN", "alice", "alice-secret");
        broker.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new SaslHandshakeRequest { Mechanism = "PLAIN" })).ErrorCode);
        var again = await SecureBroker.CallAsync(client, new SaslAuthenticateRequest { AuthBytes = Encoding.UTF8.GetBytes("\0alice\0alice-secret") });
        Assert.Equal((ErrorCode.None, 10_000L), (again.ErrorCode, again.SessionLifetimeMs));
        broker.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);

        await SecureBroker.CallAsync(client, new SaslHandshakeRequest { Mechanism = "PLAIN" });
        var other = await SecureBroker.CallAsync(client, new SaslAuthenticateRequest { AuthBytes = Encoding.UTF8.GetBytes("\0bob\0b\"ob") });
        Assert.Equal(ErrorCode.SaslAuthenticationFailed, other.ErrorCode);
        await Assert.ThrowsAsync<ToolException>(() => SecureBroker.CallAsync(client, new ListGroupsRequest()));

        var third = await ConnectAsync(broker, "PLAIN", "alice", "alice-secret");
        Assert.Equal(ErrorCode.IllegalSaslState, (await SecureBroker.CallAsync(third, new SaslHandshakeRequest { Mechanism = "SCRAM-SHA-256" })).ErrorCode);
    }

    [Fact]
    public async Task Handshake_of_version_0_is_followed_by_bare_messages()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT", ("sasl.enabled.mechanisms", "PLAIN"), ("sasl.jaas.config", PlainUsers));
        using var client = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.None, (await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 0)).ErrorCode);
        await client.SendAsync(Framed("\0alice\0alice-secret"));
        Assert.Empty((await client.ReceiveFrameAsync())!);
        Assert.Equal(ErrorCode.None, (await client.CallAsync(new ListGroupsRequest(), 0)).ErrorCode);

        using var wrong = new RawClient(broker.Port);
        await wrong.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 0);
        await wrong.SendAsync(Framed("\0alice\0wrong"));
        await wrong.AssertClosedAsync();
    }

    [Fact]
    public async Task Nothing_is_served_before_authentication_but_versions_and_sasl()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT", ("sasl.enabled.mechanisms", "PLAIN"), ("sasl.jaas.config", PlainUsers));
        using var client = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.None, (await client.CallAsync(new ApiVersionsRequest { ClientSoftwareName = "x", ClientSoftwareVersion = "1" }, 3)).ErrorCode);
        await client.SendAsync(new MetadataRequest(), 1, 2);
        await client.AssertClosedAsync();

        using var second = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.IllegalSaslState, (await second.CallAsync(new SaslAuthenticateRequest(), 1)).ErrorCode);
        await second.AssertClosedAsync();

        using var third = new RawClient(broker.Port);
        var handshake = await third.CallAsync(new SaslHandshakeRequest { Mechanism = "GSSAPI" }, 1);
        Assert.Equal(ErrorCode.UnsupportedSaslMechanism, handshake.ErrorCode);
        Assert.Equal(["PLAIN"], handshake.Mechanisms);
        await third.AssertClosedAsync();

        using var large = new RawClient(broker.Port);
        await large.SendAsync(new byte[] { 0, 16, 0, 0 }); // a megabyte, which nobody may announce before authentication
        await large.AssertClosedAsync();
    }

    [Fact]
    public async Task Client_that_does_not_authenticate_is_closed_after_a_while()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT");
        using var client = new RawClient(broker.Port);
        await client.CallAsync(new ApiVersionsRequest(), 0);
        broker.Clock.Advance(TimeSpan.FromSeconds(31));
        await client.AssertClosedAsync();
    }

    [Fact]
    public async Task Failed_authentication_is_answered_late()
    {
        await using var broker = await SecureBroker.StartAsync("SASL_PLAINTEXT", ("connection.failed.authentication.delay.ms", "5000"), ("sasl.enabled.mechanisms", "PLAIN"), ("sasl.jaas.config", PlainUsers));
        using var client = new RawClient(broker.Port);
        await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1);
        var timers = broker.Clock.TimerCount;
        await client.SendAsync(new SaslAuthenticateRequest { AuthBytes = Encoding.UTF8.GetBytes("\0alice\0wrong") }, 1, 2);
        while (broker.Clock.TimerCount == timers || !broker.Log.Lines.Any(line => line.Contains("invalid credentials", StringComparison.Ordinal)))
            await Task.Yield();
        Assert.Equal(0, client.Socket.Available);
        broker.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ErrorCode.SaslAuthenticationFailed, (await client.ReceiveAsync(new SaslAuthenticateRequest(), 1, 2)).ErrorCode);
        await client.AssertClosedAsync();
    }

    [Fact]
    public async Task Guessing_passwords_costs_the_delay_for_each_guess_and_nobody_else_anything()
    {
        var delay = TimeSpan.FromSeconds(1);
        await using var broker = await SecureBroker.StartAsync(
            "SASL_PLAINTEXT", ("connection.failed.authentication.delay.ms", "1000"), ("sasl.enabled.mechanisms", "PLAIN"), ("sasl.jaas.config", PlainUsers));
        var guest = await ConnectAsync(broker, "PLAIN", "bob", "b\"ob");
        for (var guess = 0; guess < 5; guess++)
        {
            using var client = new RawClient(broker.Port);
            await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1);
            var wrong = new SaslAuthenticateRequest { AuthBytes = Encoding.UTF8.GetBytes($"\0alice\0guess{guess}") };
            var began = broker.Clock.GetUtcNow();
            await client.SendAsync(wrong, 1, 2);
            // A second guess behind the first one on the same connection is never looked at, not even the right one.
            await client.SendAsync(new SaslAuthenticateRequest { AuthBytes = Encoding.UTF8.GetBytes("\0alice\0alice-secret") }, 1, 3);
            var answer = client.ReceiveAsync(wrong, 1, 2);
            while (!answer.IsCompleted)
            {
                await SecureBroker.CallAsync(guest, new MetadataRequest { Topics = [] });
                broker.Clock.Advance(delay / 20);
            }

            Assert.Equal(ErrorCode.SaslAuthenticationFailed, (await answer).ErrorCode);
            Assert.True(broker.Clock.GetUtcNow() - began >= delay);
            await client.AssertClosedAsync();
        }
    }

    [Fact]
    public async Task Sasl_requests_on_a_plain_listener_are_an_illegal_state()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        using var client = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.IllegalSaslState, (await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1)).ErrorCode);
    }

    [Fact]
    public async Task Secrets_are_never_logged_nor_described()
    {
        using var rsa = RSA.Create(2048);
        using var keys = new KeyFile(rsa.ExportSubjectPublicKeyInfoPem());
        await using var broker = await SecureBroker.StartAsync(
            "SASL_PLAINTEXT",
            ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,OAUTHBEARER"),
            ("sasl.jaas.config", PlainUsers),
            ("sasl.oauthbearer.jwks.endpoint.url", keys.Url));
        await UpsertAsync(broker, "scram", "scram-secret", 1);
        await ConnectAsync(broker, "PLAIN", "alice", "alice-secret");
        await ConnectAsync(broker, "SCRAM-SHA-256", "scram", "scram-secret");
        await Assert.ThrowsAsync<ToolException>(() => ConnectAsync(broker, "PLAIN", "alice", "wrong-secret"));
        var token = Sign(rsa, """{"sub":"token-secret","exp":1}""");
        await Assert.ThrowsAsync<ToolException>(() => broker.ConnectAsync(("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "OAUTHBEARER"), ("sasl.oauthbearer.token", token)));
        var credential = broker.Server.State.Security.View.FindScram("scram", ScramMechanism.Sha256)!;
        string[] secrets = ["alice-secret", "scram-secret", "wrong-secret", token, "token-secret", Convert.ToBase64String(credential.StoredKey), Convert.ToBase64String(credential.Salt)];
        Assert.NotEmpty(broker.Log.Lines);
        foreach (var secret in secrets)
            Assert.DoesNotContain(broker.Log.Lines, line => line.Contains(secret, StringComparison.Ordinal));

        var described = await broker.Server.Connect().SendAsync(
            new DescribeConfigsRequest { Resources = [new() { ResourceType = 4, ResourceName = "", ConfigurationKeys = null }], IncludeSynonyms = true }, TestContext.Current.CancellationToken);
        var jaas = described.Results[0].Configs.Single(config => config.Name == "sasl.jaas.config");
        Assert.Null(jaas.Value);
        Assert.True(jaas.IsSensitive);
        Assert.All(jaas.Synonyms, synonym => Assert.Null(synonym.Value));
    }

    private static async Task<WireConnection> ConnectAsync(SecureBroker broker, string mechanism, string user, string password) => await broker.ConnectAsync(
        ("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", mechanism), ("sasl.username", user), ("sasl.password", password));

    private static async Task UpsertAsync(SecureBroker broker, string user, string password, sbyte id)
    {
        Assert.True(ScramMechanism.TryFind(id, out var mechanism));
        var salt = new byte[] { 1, 2, 3, 4 };
        var response = await broker.Server.Connect().SendAsync(
            new AlterUserScramCredentialsRequest
            {
                Upsertions = [new() { Name = user, Mechanism = id, Iterations = 4096, Salt = salt, SaltedPassword = mechanism.Salted(Encoding.UTF8.GetBytes(password), salt, 4096) }],
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.None, response.Results.Single().ErrorCode);
    }

    private static byte[] Framed(string message)
    {
        var bytes = Encoding.UTF8.GetBytes(message);
        return [0, 0, 0, (byte)bytes.Length, .. bytes];
    }

    private static string Sign(RSA key, string claims)
    {
        var signed = Base64Url.EncodeToString("""{"alg":"RS256"}"""u8) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims));
        return signed + "." + Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private sealed class KeyFile : IDisposable
    {
        private readonly string _path = Path.GetTempFileName();

        public KeyFile(string text) => File.WriteAllText(_path, text);

        public string Url => new Uri(_path).AbsoluteUri;

        public void Dispose() => File.Delete(_path);
    }
}
