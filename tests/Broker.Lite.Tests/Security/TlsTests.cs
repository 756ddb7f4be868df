using Broker.Lite.Host.Client;
using Broker.Lite.Security.Tls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Security;

public sealed class TlsTests : IDisposable
{
    private readonly TestCertificates _authority = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("broker-tls").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Client_is_served_under_tls_with_a_pem_key_store()
    {
        await using var broker = await SecureBroker.StartAsync("SSL", Pem(_authority.Issue("CN=localhost")));
        var client = await broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", _authority.AuthorityPem));
        var metadata = await SecureBroker.CallAsync(client, new MetadataRequest { Topics = [] });
        Assert.Equal(broker.Port, metadata.Brokers.Single().Port);
    }

    [Fact]
    public async Task Client_is_served_under_tls_with_a_pkcs12_key_store()
    {
        var path = Path.Combine(_folder, "broker.p12");
        await File.WriteAllBytesAsync(path, _authority.IssuePkcs12("CN=localhost", "secret"), TestContext.Current.CancellationToken);
        await using var broker = await SecureBroker.StartAsync("SSL", ("ssl.keystore.location", path), ("ssl.keystore.password", "secret"));
        var client = await broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", _authority.AuthorityPem));
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);
    }

    [Fact]
    public async Task Client_refuses_a_broker_of_another_authority()
    {
        await using var broker = await SecureBroker.StartAsync("SSL", Pem(_authority.Issue("CN=localhost")));
        await Assert.ThrowsAsync<ToolException>(() => broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", new TestCertificates().AuthorityPem)));
    }

    [Fact]
    public async Task Certificate_of_the_client_decides_who_it_is_when_it_is_required()
    {
        await using var broker = await SecureBroker.StartAsync(
            "SSL",
            [
                .. Pem(_authority.Issue("CN=localhost")),
                ("ssl.client.auth", "required"),
                ("ssl.truststore.certificates", _authority.AuthorityPem),
                ("ssl.principal.mapping.rules", "RULE:^CN=(.*?),OU=staff.*$/$1/L,DEFAULT"),
                ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
                ("super.users", "User:alice;User:CN=bob,O=Other"),
            ]);
        foreach (var (subject, principal) in new[] { ("CN=Alice,OU=staff,O=Example", "User:alice"), ("CN=bob,O=Other", "User:CN=bob,O=Other") })
        {
            var client = await ConnectWithAsync(broker, _authority.Issue(subject, forClient: true));
            Assert.EndsWith(principal, broker.Log.Lines.Last(line => line.Contains("stands for", StringComparison.Ordinal)), StringComparison.Ordinal);
            Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new DescribeAclsRequest { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 })).ErrorCode);
        }

        var stranger = await ConnectWithAsync(broker, _authority.Issue("CN=mallory,O=Example", forClient: true));
        var refused = await SecureBroker.CallAsync(stranger, new DescribeAclsRequest { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 });
        Assert.Equal(ErrorCode.ClusterAuthorizationFailed, refused.ErrorCode);
    }

    [Fact]
    public async Task Client_without_a_trusted_certificate_is_refused_when_one_is_required()
    {
        await using var broker = await SecureBroker.StartAsync(
            "SSL", [.. Pem(_authority.Issue("CN=localhost")), ("ssl.client.auth", "required"), ("ssl.truststore.certificates", _authority.AuthorityPem)]);
        await Assert.ThrowsAsync<ToolException>(() => broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", _authority.AuthorityPem)));
        await Assert.ThrowsAsync<ToolException>(() => ConnectWithAsync(broker, new TestCertificates().Issue("CN=alice", forClient: true)));
        await Assert.ThrowsAsync<ToolException>(() => ConnectWithAsync(broker, _authority.Issue("CN=alice", forClient: false)));
    }

    [Fact]
    public async Task Client_may_come_without_certificate_when_it_is_only_requested_but_not_with_a_wrong_one()
    {
        await using var broker = await SecureBroker.StartAsync(
            "SSL", [.. Pem(_authority.Issue("CN=localhost")), ("ssl.client.auth", "requested"), ("ssl.truststore.certificates", _authority.AuthorityPem)]);
        var client = await broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", _authority.AuthorityPem));
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(client, new ListGroupsRequest())).ErrorCode);
        await Assert.ThrowsAsync<ToolException>(() => ConnectWithAsync(broker, new TestCertificates().Issue("CN=alice", forClient: true)));
    }

    [Fact]
    public async Task Parked_fetch_ends_when_the_client_under_tls_is_gone_and_pipelined_requests_are_not_lost()
    {
        await using var broker = await SecureBroker.StartAsync("SSL", Pem(_authority.Issue("CN=localhost")));
        var client = await broker.ConnectAsync(("security.protocol", "SSL"), ("ssl.truststore.certificates", _authority.AuthorityPem));
        await SecureBroker.CallAsync(client, new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] });
        var parked = SecureBroker.CallAsync(client, broker.WithIds(Support.TestBroker.Fetch("t", 0, maxWaitMs: 60_000)));
        var behind = SecureBroker.CallAsync(client, new ListGroupsRequest());
        var partition = broker.Server.State.View.Find("t", 0)!;
        while (partition.WaiterCount == 0)
            await Task.Yield();
        await broker.Server.Connect().SendAsync(Support.TestBroker.Produce("t", Support.Batches.Of("a")), TestContext.Current.CancellationToken);
        Assert.True((await parked).Responses[0].Partitions[0].Records!.Value.Length > 0);
        Assert.Equal(ErrorCode.None, (await behind).ErrorCode);

        var second = SecureBroker.CallAsync(client, broker.WithIds(Support.TestBroker.Fetch("t", 1, maxWaitMs: 60_000)));
        while (partition.WaiterCount == 0)
            await Task.Yield();
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ToolException>(() => second);
        while (partition.WaiterCount > 0)
            await Task.Yield();
    }

    [Fact]
    public async Task Start_fails_and_names_the_listener_when_its_certificate_is_missing()
    {
        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => SecureBroker.StartAsync("SSL"));
        Assert.Contains("SSL", fault.Message, StringComparison.Ordinal);
        Assert.Contains("ssl.keystore.location", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Subject_is_written_most_specific_part_first_and_escaped()
    {
        var name = new System.Security.Cryptography.X509Certificates.X500DistinguishedNameBuilder();
        name.AddCommonName("a,b+c\"d\\e<f>;  ");
        name.AddOrganizationalUnitName("#x");
        name.AddOrganizationName("Example");
        name.AddEmailAddress("a@b");
        Assert.Equal("CN=a\\,b\\+c\\\"d\\\\e\\<f\\>\\; \\ ,OU=\\#x,O=Example,1.2.840.113549.1.9.1=#1603614062", DistinguishedName.Of(name.Build()));
    }

    [Theory]
    [InlineData("DEFAULT", "CN=a,O=b", "CN=a,O=b")]
    [InlineData("", "CN=a,O=b", "CN=a,O=b")]
    [InlineData("RULE:^CN=(.*?),O=b$/$1/U", "CN=a,O=b", "A")]
    [InlineData("RULE:^CN=(.*?),O=c$/$1/ , RULE:^CN=([^,]+),.*$/$1@x/L", "CN=AbC,O=b", "abc@x")]
    [InlineData("RULE:^CN=a\\/b$/slash\\/$0/", "CN=a/b", "slash/CN=a/b")]
    [InlineData("RULE:^CN=z$/z/", "CN=a,O=b", null)]
    public void Mapping_rules_make_names_of_subjects(string rules, string subject, string? name) => Assert.Equal(name, PrincipalMapping.Parse(rules).Apply(subject));

    [Theory]
    [InlineData("RULE:^CN=(.*?$/$1/")]
    [InlineData("RULE:a/b")]
    [InlineData("SOMETHING")]
    [InlineData("RULE:a/b/X")]
    public void Mapping_rules_that_are_none_are_refused(string rules) => Assert.Throws<FormatException>(() => PrincipalMapping.Parse(rules));

    private static (string, string)[] Pem(string identity) => [("ssl.keystore.type", "PEM"), ("ssl.keystore.certificate.chain", identity), ("ssl.keystore.key", identity)];

    private Task<WireConnection> ConnectWithAsync(SecureBroker broker, string identity) => ProveAsync(broker, identity);

    /// <summary>With TLS 1.3 a client learns of a refused certificate only when it waits for its first answer, which connecting includes.</summary>
    private async Task<WireConnection> ProveAsync(SecureBroker broker, string identity) => await broker.ConnectAsync(
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", _authority.AuthorityPem),
        ("ssl.keystore.certificate.chain", identity),
        ("ssl.keystore.key", identity));
}
