using System.Security.Cryptography;
using Streams.Core;
using Streams.Kafka.Wire;
using Xunit;

namespace Streams.Kafka.Tests.Wire;

public sealed class ScramExchangeTests
{
    private const string ServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    /// <summary>The example conversation of RFC 7677, section 3.</summary>
    [Fact]
    public void Conversation_is_the_one_of_the_standard()
    {
        var scram = new ScramExchange(HashAlgorithmName.SHA256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", scram.ClientFirst);
        Assert.Equal("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", scram.ClientFinal(ServerFirst));
        Assert.True(scram.VerifyServer("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        Assert.Throws<FormatException>(() => scram.VerifyServer("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    [Theory]
    [InlineData("")]
    [InlineData("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=***,i=4096")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1")]
    [InlineData("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000")]
    [InlineData("e=unknown-user")]
    public void Hostile_server_is_refused(string serverFirst)
    {
        var scram = new ScramExchange(HashAlgorithmName.SHA256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Throws<FormatException>(() => scram.ClientFinal(serverFirst));
        Assert.Throws<FormatException>(() => scram.VerifyServer("v="));
    }

    [Theory]
    [InlineData("security.protocol", "ssh")]
    [InlineData("sasl.mechanism", "GSSAPI")]
    [InlineData("sasl.password", null)]
    public void Wrong_security_setting_is_refused_at_once(string key, string? value)
    {
        var config = new Dictionary<string, string>
        {
            ["security.protocol"] = "sasl_plaintext", ["sasl.mechanism"] = "PLAIN", ["sasl.username"] = "user", ["sasl.password"] = "secret",
        };
        Assert.DoesNotContain("secret", new KafkaCluster("localhost", config).Description, StringComparison.Ordinal);
        if (value is null) config.Remove(key);
        else config[key] = value;
        Assert.Throws<ConfigException>(() => new KafkaCluster("localhost", config));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host:0")]
    [InlineData("host:99999")]
    [InlineData(":9092")]
    [InlineData("host:port")]
    public void Wrong_address_is_refused_at_once(string servers) => Assert.Throws<ConfigException>(() => new KafkaCluster(servers));

    [Fact]
    public void Addresses_are_read_as_kafka_writes_them() => Assert.Equal(
        [new BrokerAddress("a", 9092), new BrokerAddress("b", 1), new BrokerAddress("::1", 2), new BrokerAddress("c", 3)],
        BrokerAddress.ParseList("a, b:1,[::1]:2,SSL://c:3"));
}
