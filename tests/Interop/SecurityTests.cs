using System.Text;

namespace Interop;

/// <summary>TLS, SASL and access rules as clients on librdkafka and kafka-python meet them.</summary>
public sealed class SecurityTests(SecuredBroker broker) : IClassFixture<SecuredBroker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kcat_writes_and_reads_over_tls() => await RoundTripAsync(broker.Tls, "tls", Tls(broker.Authority));

    [Fact]
    public async Task Kcat_refuses_a_broker_of_another_authority()
    {
        var errors = await FailAsync(broker.Tls, "other-authority", Tls(broker.OtherAuthority));
        Assert.Contains("certificate verify failed", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kcat_without_tls_gets_nothing_from_a_tls_listener()
    {
        var errors = await FailAsync(broker.Tls, "no-tls", []);
        Assert.Contains("Disconnected", errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Kcat_writes_and_reads_with_a_certificate() => await RoundTripAsync(broker.MutualTls, "mutual", MutualTls("kcat"));

    [Fact]
    public async Task Certificate_is_required_and_must_be_of_the_trusted_authority()
    {
        // The broker refuses without a TLS alert, and after what TLS 1.3 calls the end of the handshake: the client sees the connection closed.
        foreach (var certificate in new[] { Tls(broker.Authority), MutualTls("forged") })
            Assert.Contains("All broker connections are down", await FailAsync(broker.MutualTls, "no-good-certificate", certificate), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_of_somebody_else_is_let_in_and_may_do_nothing()
    {
        var errors = await FailAsync(broker.MutualTls, "stranger", MutualTls("stranger"));
        Assert.Contains("Topic authorization failed", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task Kcat_writes_and_reads_with_sasl(string mechanism) =>
        await RoundTripAsync(broker.Sasl, "sasl-" + mechanism, Sasl(mechanism, "admin-secret"));

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task Kcat_with_a_wrong_password_fails_to_authenticate(string mechanism)
    {
        var errors = await FailAsync(broker.Sasl, "wrong-" + mechanism, Sasl(mechanism, "admin-secret2"));
        Assert.Contains("Authentication failed", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rules_made_by_a_client_let_in_until_it_deletes_them")]
    [InlineData("scram_user_writes_and_reads")]
    [InlineData("topic_without_a_rule_is_refused")]
    [InlineData("wrong_password_is_an_authentication_error")]
    public async Task Confluent_kafka_under_rules(string check)
    {
        PythonClient.Security.SkipIfMissing("kafka");
        await PythonClient.Security.CheckAsync(broker.Sasl, check, Topics.Unique(check), Cancellation);
    }

    [Theory]
    [InlineData("bad_tokens_are_authentication_errors")]
    [InlineData("kafka_python_logs_in_with_a_token")]
    [InlineData("passwords_let_in_over_tls")]
    [InlineData("session_ends_with_its_token_and_goes_on_with_the_next")]
    [InlineData("token_lets_in_and_its_subject_is_the_user")]
    [InlineData("token_lets_in_over_tls")]
    public async Task Tokens_and_passwords(string check)
    {
        PythonClient.Oauth.SkipIfMissing("kafka");
        await PythonClient.Oauth.CheckAsync(broker.Oauth, check, Topics.Unique(check), Cancellation);
    }

    [Fact]
    public async Task Every_check_of_the_script_is_run()
    {
        PythonClient.Oauth.SkipIfMissing("kafka");
        Assert.Equal(Topics.InlineNames(GetType(), nameof(Tokens_and_passwords)), await PythonClient.Oauth.ChecksAsync(Cancellation));
        PythonClient.Security.SkipIfMissing("kafka");
        Assert.Equal(Topics.InlineNames(GetType(), nameof(Confluent_kafka_under_rules)), await PythonClient.Security.ChecksAsync(Cancellation));
    }

    private static string[] Tls(string authority) => ["-X", "security.protocol=SSL", "-X", "ssl.ca.location=" + authority];

    private string[] MutualTls(string client) =>
        [.. Tls(broker.Authority), "-X", "ssl.certificate.location=" + broker.CertificateOf(client), "-X", "ssl.key.location=" + broker.CertificateOf(client)];

    private static string[] Sasl(string mechanism, string password) =>
        ["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=" + mechanism, "-X", "sasl.username=admin", "-X", "sasl.password=" + password];

    private static async Task RoundTripAsync(string bootstrap, string purpose, string[] security)
    {
        Kcat.SkipIfMissing();
        var topic = Topics.Unique(purpose);
        // More than one TLS record, and more than one read of a socket.
        var lines = Enumerable.Range(0, 2000).Select(number => $"k{number}:value {number} {new string('x', number % 50)}").ToList();
        await Kcat.ProduceAsync(bootstrap, topic, string.Join('\n', lines) + "\n", Cancellation, ["-p", "0", .. security]);
        var records = await Kcat.ConsumeAsync(bootstrap, topic, Cancellation, security);
        Assert.Equal(lines, records.Select(record => Text(record.Key) + ":" + Text(record.Value)));
    }

    /// <summary>What kcat says when it cannot write.</summary>
    private static async Task<string> FailAsync(string bootstrap, string purpose, string[] security)
    {
        Kcat.SkipIfMissing();
        var result = await Kcat.RunAsync(bootstrap, "k:v\n"u8.ToArray(), Cancellation, ["-P", "-t", Topics.Unique(purpose), "-K", ":", "-X", "message.timeout.ms=10000", .. security]);
        Assert.NotEqual(0, result.ExitCode);
        return result.Errors;
    }

    private static string Text(string? hex) => hex is null ? "" : Encoding.UTF8.GetString(Convert.FromHexString(hex));
}
