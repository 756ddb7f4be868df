using Broker.Lite.Host.Client;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Guards;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Security;

public sealed class AclTests
{
    private const string Jaas = "m required user_root=\"r\" user_alice=\"a\";";

    [Theory]
    [InlineData("topic-a", "Read", "User:alice", "1.1.1.1", true)]
    [InlineData("topic-a", "Describe", "User:alice", "1.1.1.1", true)]
    [InlineData("topic-a", "Write", "User:alice", "1.1.1.1", false)]
    [InlineData("topic-a", "Read", "User:bob", "1.1.1.1", false)]
    [InlineData("topic-a", "Read", "User:alice", "6.6.6.6", false)]
    [InlineData("topic-b", "Read", "User:alice", "1.1.1.1", false)]
    [InlineData("pre", "Write", "User:bob", "1.1.1.1", true)]
    [InlineData("prefix", "Alter", "User:bob", "2.2.2.2", true)]
    [InlineData("prefix-secret", "Read", "User:bob", "2.2.2.2", false)]
    [InlineData("pr", "Read", "User:bob", "2.2.2.2", null)]
    [InlineData("other", "Read", "User:alice", "1.1.1.1", null)]
    public void Rules_decide_with_deny_before_allow(string topic, string operation, string principal, string host, bool? expected)
    {
        var table = new AclTable(
        [
            Rule("topic-a", AclPatternType.Literal, "User:alice", "*", AclOperation.Read, AclPermission.Allow),
            Rule("topic-a", AclPatternType.Literal, "User:*", "6.6.6.6", AclOperation.All, AclPermission.Deny),
            Rule("topic-b", AclPatternType.Literal, "User:carol", "*", AclOperation.All, AclPermission.Allow),
            Rule("pre", AclPatternType.Prefixed, "User:bob", "*", AclOperation.All, AclPermission.Allow),
            Rule("prefix-s", AclPatternType.Prefixed, "User:*", "*", AclOperation.Read, AclPermission.Deny),
        ]);
        Assert.Equal(expected, table.Decide(Enum.Parse<AclOperation>(operation), AclResourceType.Topic, topic, principal, host));
    }

    [Fact]
    public void Wildcard_resource_is_every_resource_and_a_denied_describe_is_not_implied_by_anything()
    {
        var table = new AclTable(
        [
            Rule("*", AclPatternType.Literal, "User:alice", "*", AclOperation.Read, AclPermission.Allow),
            Rule("*", AclPatternType.Literal, "User:alice", "*", AclOperation.Describe, AclPermission.Deny),
        ]);
        Assert.True(table.Decide(AclOperation.Read, AclResourceType.Topic, "any", "User:alice", "h"));
        Assert.False(table.Decide(AclOperation.Describe, AclResourceType.Topic, "any", "User:alice", "h"));
        Assert.Null(table.Decide(AclOperation.Read, AclResourceType.Group, "any", "User:alice", "h"));
    }

    [Fact]
    public void Some_topic_is_writable_only_if_a_deny_leaves_something()
    {
        Assert.True(Some([("a", AclPatternType.Literal, AclPermission.Allow)]));
        Assert.False(Some([("a", AclPatternType.Literal, AclPermission.Allow), ("*", AclPatternType.Literal, AclPermission.Deny)]));
        Assert.False(Some([("ab", AclPatternType.Literal, AclPermission.Allow), ("a", AclPatternType.Prefixed, AclPermission.Deny)]));
        Assert.True(Some([("a", AclPatternType.Prefixed, AclPermission.Allow), ("ab", AclPatternType.Prefixed, AclPermission.Deny)]));
        Assert.True(Some([("*", AclPatternType.Literal, AclPermission.Allow), ("a", AclPatternType.Prefixed, AclPermission.Deny)]));
        Assert.False(Some([]));

        static bool Some((string Name, AclPatternType Pattern, AclPermission Permission)[] rules) =>
            new AclTable([.. rules.Select(rule => Rule(rule.Name, rule.Pattern, "User:u", "*", AclOperation.Write, rule.Permission))])
                .AllowsSome(AclOperation.Write, AclResourceType.Topic, "User:u", "h");
    }

    [Fact]
    public async Task Every_handler_has_a_guard()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var handler in broker.Server.Dispatcher.Handlers)
            Assert.True(RequestGuards.TryFind(handler.Key, out _), $"{handler.Key} has no guard: say in Security/Guards who may use it");
    }

    [Fact]
    public async Task Every_api_refuses_a_client_without_permissions_or_shows_it_nothing()
    {
        await using var broker = await StartAsync();
        await CreateTopicAsync(broker, "secret");
        var client = await ConnectAsync(broker, "alice", "a");
        var probes = Probes();
        foreach (var handler in broker.Server.Dispatcher.Handlers)
        {
            if (handler.Key is ApiKey.ApiVersions or ApiKey.SaslHandshake or ApiKey.SaslAuthenticate)
                continue;
            Assert.True(probes.TryGetValue(handler.Key, out var probe), $"{handler.Key} has no probe: add one that asks for something of topic, group or transaction 'secret'");
            var refusal = await probe(client);
            Assert.True(refusal.Length == 0, $"{handler.Key}: {refusal}");
        }
    }

    [Fact]
    public async Task Rules_made_by_a_client_let_another_in_survive_a_restart_and_can_be_deleted()
    {
        var folder = Directory.CreateTempSubdirectory("broker-acl").FullName;
        try
        {
            await using (var broker = await StartAsync(folder))
            {
                await CreateTopicAsync(broker, "t1");
                var root = await ConnectAsync(broker, "root", "r");
                var created = await SecureBroker.CallAsync(root, new CreateAclsRequest
                {
                    Creations =
                    [
                        Creation("t", 4, AclOperation.Write), Creation("t", 4, AclOperation.Read), Creation("x", 7, AclOperation.Read), Creation("", 3, AclOperation.Read),
                    ],
                });
                Assert.Equal([ErrorCode.None, ErrorCode.None, ErrorCode.InvalidRequest, ErrorCode.InvalidRequest], created.Results.Select(result => result.ErrorCode));
            }

            await using var again = await StartAsync(folder);
            var alice = await ConnectAsync(again, "alice", "a");
            var produced = await SecureBroker.CallAsync(alice, TestBroker.Produce("t1", Batches.Of("v")));
            Assert.Equal(ErrorCode.None, produced.Responses[0].PartitionResponses[0].ErrorCode);
            Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(alice, new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = 1000, ProducerId = -1, ProducerEpoch = -1 })).ErrorCode);
            var metadata = await SecureBroker.CallAsync(alice, new MetadataRequest { Topics = null, IncludeTopicAuthorizedOperations = true });
            Assert.Equal((1 << 3) | (1 << 4) | (1 << 8), metadata.Topics.Single().TopicAuthorizedOperations);

            var admin = await ConnectAsync(again, "root", "r");
            var match = new DescribeAclsRequest { ResourceTypeFilter = 2, ResourceNameFilter = "t1", PrincipalFilter = null, HostFilter = null, PatternTypeFilter = 2, Operation = 1, PermissionType = 1 };
            Assert.Equal(2, (await SecureBroker.CallAsync(admin, match)).Resources.Single().Acls.Count);
            match.PatternTypeFilter = 3;
            Assert.Empty((await SecureBroker.CallAsync(admin, match)).Resources);
            var deleted = await SecureBroker.CallAsync(admin, new DeleteAclsRequest
            {
                Filters = [new() { ResourceTypeFilter = 1, ResourceNameFilter = null, PrincipalFilter = null, HostFilter = null, PatternTypeFilter = 1, Operation = (sbyte)AclOperation.Write, PermissionType = 1 }, new() { ResourceTypeFilter = 0, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }],
            });
            Assert.Single(deleted.FilterResults[0].MatchingAcls);
            Assert.Equal(ErrorCode.InvalidRequest, deleted.FilterResults[1].ErrorCode);
            Assert.Equal(ErrorCode.TopicAuthorizationFailed, (await SecureBroker.CallAsync(alice, TestBroker.Produce("t1", Batches.Of("v")))).Responses[0].PartitionResponses[0].ErrorCode);
            Assert.Equal(ErrorCode.ClusterAuthorizationFailed, (await SecureBroker.CallAsync(alice, new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = 1000, ProducerId = -1, ProducerEpoch = -1 })).ErrorCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task What_is_allowed_in_a_request_is_served_beside_what_is_not()
    {
        await using var broker = await StartAsync();
        await CreateTopicAsync(broker, "mine");
        await CreateTopicAsync(broker, "secret");
        var root = await ConnectAsync(broker, "root", "r");
        await SecureBroker.CallAsync(root, new CreateAclsRequest { Creations = [Creation("mine", 3, AclOperation.All), Creation("g", 3, AclOperation.Read, type: AclResourceType.Group)] });
        await broker.Server.Connect().SendAsync(TestBroker.Produce("secret", Batches.Of("hidden")), TestContext.Current.CancellationToken);
        var alice = await ConnectAsync(broker, "alice", "a");

        var produce = TestBroker.Produce("mine", Batches.Of("v"));
        produce.TopicData.Add(TestBroker.Produce("secret", Batches.Of("v")).TopicData[0]);
        var produced = (await SecureBroker.CallAsync(alice, produce)).Responses.ToDictionary(topic => topic.Name, topic => topic.PartitionResponses.Single().ErrorCode);
        Assert.Equal((ErrorCode.None, ErrorCode.TopicAuthorizationFailed), (produced["mine"], produced["secret"]));

        // A refused partition must not wait for data of the others.
        var fetch = TestBroker.Fetch("mine", 1, maxWaitMs: 60_000);
        fetch.Topics.Add(TestBroker.Fetch("secret", 0).Topics[0]);
        var fetched = (await SecureBroker.CallAsync(alice, broker.WithIds(fetch))).Responses.ToDictionary(topic => broker.Server.State.View.Find(topic.TopicId)!.Name, topic => topic.Partitions.Single());
        Assert.Equal((ErrorCode.None, ErrorCode.TopicAuthorizationFailed), (fetched["mine"].ErrorCode, fetched["secret"].ErrorCode));
        Assert.Equal((0, -1L), (fetched["secret"].Records!.Value.Length, fetched["secret"].HighWatermark));

        var all = await SecureBroker.CallAsync(alice, new MetadataRequest { Topics = null });
        Assert.Equal(["mine"], all.Topics.Select(topic => topic.Name));
        var named = await SecureBroker.CallAsync(alice, new MetadataRequest { Topics = [new() { Name = "secret" }, new() { Name = "mine" }, new() { Name = "new" }], AllowAutoTopicCreation = true });
        var errors = named.Topics.ToDictionary(topic => topic.Name!, topic => topic.ErrorCode);
        Assert.Equal((ErrorCode.TopicAuthorizationFailed, ErrorCode.None, ErrorCode.TopicAuthorizationFailed), (errors["secret"], errors["mine"], errors["new"]));

        var commit = await SecureBroker.CallAsync(alice, new OffsetCommitRequest
        {
            GroupId = "g",
            GenerationIdOrMemberEpoch = -1,
            Topics = [new() { Name = "mine", Partitions = [new() { CommittedOffset = 1 }] }, new() { Name = "secret", Partitions = [new() { CommittedOffset = 1 }] }],
        });
        var committed = commit.Topics.ToDictionary(topic => topic.Name, topic => topic.Partitions.Single().ErrorCode);
        Assert.Equal((ErrorCode.None, ErrorCode.TopicAuthorizationFailed), (committed["mine"], committed["secret"]));
    }

    [Fact]
    public async Task Pattern_of_a_consumer_finds_only_topics_that_its_user_may_describe()
    {
        var folder = Directory.CreateTempSubdirectory("broker-acl").FullName;
        try
        {
            int epoch;
            await using (var broker = await StartAsync(folder))
            {
                await CreateTopicAsync(broker, "mine");
                await CreateTopicAsync(broker, "secret");
                var admin = await ConnectAsync(broker, "root", "r");
                await SecureBroker.CallAsync(admin, new CreateAclsRequest { Creations = [Creation("mine", 3, AclOperation.Read), Creation("g", 3, AclOperation.Read, type: AclResourceType.Group)] });
                var joined = await SecureBroker.CallAsync(await ConnectAsync(broker, "alice", "a"), Join("alices"));
                Assert.Equal(["mine"], Topics(broker, joined));
                epoch = joined.MemberEpoch;
            }

            // Another user is heard of first, before the broker knows again who the first member is.
            await using var again = await StartAsync(folder);
            var other = await SecureBroker.CallAsync(await ConnectAsync(again, "root", "r"), Join("roots"));
            Assert.Equal(["secret"], Topics(again, other));
            var alice = await ConnectAsync(again, "alice", "a");
            var next = await SecureBroker.CallAsync(alice, new ConsumerGroupHeartbeatRequest { GroupId = "g", MemberId = "alices", MemberEpoch = epoch, RebalanceTimeoutMs = -1 });
            Assert.Equal((ErrorCode.None, other.MemberEpoch), (next.ErrorCode, next.MemberEpoch));
            Assert.Null(next.Assignment);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static ConsumerGroupHeartbeatRequest Join(string member) => new()
        {
            GroupId = "g",
            MemberId = member,
            MemberEpoch = 0,
            RebalanceTimeoutMs = 30_000,
            SubscribedTopicNames = [],
            SubscribedTopicRegex = ".*",
            TopicPartitions = [],
        };

        static IEnumerable<string> Topics(SecureBroker broker, ConsumerGroupHeartbeatResponse response) =>
            response.Assignment!.TopicPartitions.Select(topic => broker.Server.State.View.Find(topic.TopicId)!.Name);
    }

    [Fact]
    public async Task Version_0_of_metadata_does_not_turn_a_refused_topic_into_all_topics()
    {
        await using var broker = await StartAsync();
        await CreateTopicAsync(broker, "secret");
        using var client = new RawClient(broker.Port);
        await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1);
        await client.CallAsync(new SaslAuthenticateRequest { AuthBytes = "\0alice\0a"u8.ToArray() }, 1);
        var answer = await client.CallAsync(new MetadataRequest { Topics = [new() { Name = "secret" }], AllowAutoTopicCreation = true }, 0);
        Assert.Equal(("secret", ErrorCode.TopicAuthorizationFailed), (answer.Topics.Single().Name, answer.Topics[0].ErrorCode));
        Assert.Empty((await client.CallAsync(new MetadataRequest { Topics = [], AllowAutoTopicCreation = true }, 0)).Topics);
    }

    [Fact]
    public async Task Unacknowledged_produce_without_permission_ends_the_connection()
    {
        await using var broker = await StartAsync();
        await CreateTopicAsync(broker, "secret");
        using var client = new RawClient(broker.Port);
        await client.CallAsync(new SaslHandshakeRequest { Mechanism = "PLAIN" }, 1);
        await client.CallAsync(new SaslAuthenticateRequest { AuthBytes = "\0alice\0a"u8.ToArray() }, 1);
        await client.SendAsync(TestBroker.Produce("secret", Batches.Of("v"), acks: 0), 7, 2);
        await client.AssertClosedAsync();
        Assert.Equal(0, broker.Server.State.View.Find("secret", 0)!.LogEndOffset);
    }

    [Fact]
    public async Task Everybody_may_use_what_no_rule_is_about_if_so_configured()
    {
        await using var broker = await StartAsync(null, ("allow.everyone.if.no.acl.found", "true"));
        await CreateTopicAsync(broker, "open");
        await CreateTopicAsync(broker, "closed");
        var root = await ConnectAsync(broker, "root", "r");
        await SecureBroker.CallAsync(root, new CreateAclsRequest { Creations = [Creation("closed", 3, AclOperation.Read, principal: "User:bob")] });
        var alice = await ConnectAsync(broker, "alice", "a");
        Assert.Equal(ErrorCode.None, (await SecureBroker.CallAsync(alice, TestBroker.Produce("open", Batches.Of("v")))).Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, (await SecureBroker.CallAsync(alice, TestBroker.Produce("closed", Batches.Of("v")))).Responses[0].PartitionResponses[0].ErrorCode);
    }

    [Fact]
    public async Task Without_authorizer_everything_is_allowed_and_rules_are_disabled()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(ErrorCode.SecurityDisabled, (await broker.SendAsync(new DescribeAclsRequest { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 })).ErrorCode);
        Assert.Equal(ErrorCode.SecurityDisabled, (await broker.SendAsync(new CreateAclsRequest { Creations = [Creation("t", 3, AclOperation.Read)] })).Results[0].ErrorCode);
        Assert.Equal(ErrorCode.SecurityDisabled, (await broker.SendAsync(new DeleteAclsRequest { Filters = [new()] })).FilterResults[0].ErrorCode);
    }

    private static AclBinding Rule(string name, AclPatternType pattern, string principal, string host, AclOperation operation, AclPermission permission) =>
        new(AclResourceType.Topic, pattern, name, principal, host, operation, permission);

    private static CreateAclsRequest.AclCreation Creation(
        string name, sbyte pattern, AclOperation operation, string principal = "User:alice", AclResourceType type = AclResourceType.Topic) =>
        new() { ResourceType = (sbyte)type, ResourceName = name, ResourcePatternType = pattern, Principal = principal, Host = "*", Operation = (sbyte)operation, PermissionType = 3 };

    private static Task<SecureBroker> StartAsync(string? folder = null, params (string, string)[] more) => SecureBroker.StartAsync(
        folder,
        "SASL_PLAINTEXT",
        [
            ("sasl.enabled.mechanisms", "PLAIN"),
            ("sasl.jaas.config", Jaas),
            ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
            ("super.users", "User:root"),
            .. more,
        ]);

    private static Task<WireConnection> ConnectAsync(SecureBroker broker, string user, string password) =>
        broker.ConnectAsync(("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"), ("sasl.username", user), ("sasl.password", password));

    private static async Task CreateTopicAsync(SecureBroker broker, string name)
    {
        var created = await broker.Server.Connect().SendAsync(
            new CreateTopicsRequest { Topics = [new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }] }, TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.None, created.Topics[0].ErrorCode);
    }

    /// <summary>For each API a request about something secret, and what is wrong with its answer; nothing if it was refused as it should be.</summary>
    private static Dictionary<ApiKey, Func<WireConnection, Task<string>>> Probes()
    {
        var probes = new Dictionary<ApiKey, Func<WireConnection, Task<string>>>();
        const ErrorCode Topic = ErrorCode.TopicAuthorizationFailed;
        const ErrorCode Group = ErrorCode.GroupAuthorizationFailed;
        const ErrorCode Transaction = ErrorCode.TransactionalIdAuthorizationFailed;
        const ErrorCode Cluster = ErrorCode.ClusterAuthorizationFailed;

        Add(Topic, TestBroker.Produce("secret", Batches.Of("v")), answer => answer.Responses[0].PartitionResponses[0].ErrorCode);
        AddFor<FetchRequest, FetchResponse>(Topic, version => version >= 13 ? null : TestBroker.Fetch("secret", 0), answer => answer.Responses[0].Partitions[0].ErrorCode);
        Add(Topic, new ListOffsetsRequest { ReplicaId = -1, Topics = [new() { Name = "secret", Partitions = [new() { Timestamp = -1 }] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        Add(Topic, new MetadataRequest { Topics = [new() { Name = "secret" }] }, answer => answer.Topics[0].ErrorCode);
        Add(Topic, new CreateTopicsRequest { Topics = [new() { Name = "new", NumPartitions = 1, ReplicationFactor = 1 }] }, answer => answer.Topics[0].ErrorCode);
        AddFor<DeleteTopicsRequest, DeleteTopicsResponse>(
            Topic, version => version >= 6 ? new() { Topics = [new() { Name = "secret" }] } : new() { TopicNames = ["secret"] }, answer => answer.Responses[0].ErrorCode);
        Add(Topic, new CreatePartitionsRequest { Topics = [new() { Name = "secret", Count = 2 }] }, answer => answer.Results[0].ErrorCode);
        Add(Topic, new DeleteRecordsRequest { Topics = [new() { Name = "secret", Partitions = [new()] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        Add(Topic, new DescribeConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "secret" }] }, answer => answer.Results[0].ErrorCode);
        Add(Cluster, new AlterConfigsRequest { Resources = [new() { ResourceType = 4, ResourceName = "" }] }, answer => answer.Responses[0].ErrorCode);
        Add(Topic, new IncrementalAlterConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "secret" }] }, answer => answer.Responses[0].ErrorCode);
        Add(ErrorCode.None, new DescribeClusterRequest { IncludeClusterAuthorizedOperations = true, EndpointType = 1 }, answer => answer.ClusterAuthorizedOperations == 0 ? ErrorCode.None : ErrorCode.UnknownServerError);
        AddFor<FindCoordinatorRequest, FindCoordinatorResponse>(
            Group, version => version >= 4 ? new() { CoordinatorKeys = ["secret"] } : new() { Key = "secret" }, answer => answer.Coordinators.Count > 0 ? answer.Coordinators[0].ErrorCode : answer.ErrorCode);
        Add(Group, new JoinGroupRequest { GroupId = "secret", SessionTimeoutMs = 10_000, RebalanceTimeoutMs = 10_000, ProtocolType = "consumer", Protocols = [new() { Name = "range" }] }, answer => answer.ErrorCode);
        Add(Group, new SyncGroupRequest { GroupId = "secret" }, answer => answer.ErrorCode);
        Add(Group, new HeartbeatRequest { GroupId = "secret" }, answer => answer.ErrorCode);
        AddFor<LeaveGroupRequest, LeaveGroupResponse>(Group, version => version >= 3 ? new() { GroupId = "secret", Members = [new()] } : new() { GroupId = "secret" }, answer => answer.ErrorCode);
        Add(Group, new OffsetCommitRequest { GroupId = "secret", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "secret", Partitions = [new()] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        AddFor<OffsetFetchRequest, OffsetFetchResponse>(
            Group, version => version >= 8 ? new() { Groups = [new() { GroupId = "secret", Topics = null }] } : new() { GroupId = "secret", Topics = null },
            answer => answer.Groups.Count > 0 ? answer.Groups[0].ErrorCode : answer.ErrorCode);
        Add(Group, new OffsetDeleteRequest { GroupId = "secret" }, answer => answer.ErrorCode);
        Add(ErrorCode.None, new ListGroupsRequest(), answer => answer.Groups.Count == 0 ? answer.ErrorCode : ErrorCode.UnknownServerError);
        Add(Group, new DescribeGroupsRequest { Groups = ["secret"] }, answer => answer.Groups[0].ErrorCode);
        Add(Group, new DeleteGroupsRequest { GroupsNames = ["secret"] }, answer => answer.Results[0].ErrorCode);
        Add(Transaction, new InitProducerIdRequest { TransactionalId = "secret", TransactionTimeoutMs = 1000, ProducerId = -1, ProducerEpoch = -1 }, answer => answer.ErrorCode);
        Add(Topic, new OffsetForLeaderEpochRequest { ReplicaId = -2, Topics = [new() { Topic = "secret", Partitions = [new()] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        AddFor<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
            Transaction, version => version >= 4 ? null : new() { V3AndBelowTransactionalId = "secret", V3AndBelowTopics = [new() { Name = "secret", Partitions = [0] }] },
            answer => answer.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode);
        Add(Transaction, new AddOffsetsToTxnRequest { TransactionalId = "secret", GroupId = "secret" }, answer => answer.ErrorCode);
        Add(Transaction, new EndTxnRequest { TransactionalId = "secret" }, answer => answer.ErrorCode);
        Add(Transaction, new TxnOffsetCommitRequest { TransactionalId = "secret", GroupId = "secret", Topics = [new() { Name = "secret", Partitions = [new()] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        Add(Cluster, new DescribeAclsRequest { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }, answer => answer.ErrorCode);
        Add(Cluster, new CreateAclsRequest { Creations = [Creation("secret", 3, AclOperation.All)] }, answer => answer.Results[0].ErrorCode);
        Add(Cluster, new DeleteAclsRequest { Filters = [new() { ResourceTypeFilter = 1, PatternTypeFilter = 1, Operation = 1, PermissionType = 1 }] }, answer => answer.FilterResults[0].ErrorCode);
        Add(Cluster, new DescribeClientQuotasRequest(), answer => answer.ErrorCode);
        Add(Cluster, new AlterClientQuotasRequest { Entries = [new() { Entity = [new() { EntityType = "user", EntityName = "alice" }] }] }, answer => answer.Entries[0].ErrorCode);
        Add(Cluster, new DescribeUserScramCredentialsRequest(), answer => answer.ErrorCode);
        Add(Cluster, new AlterUserScramCredentialsRequest { Deletions = [new() { Name = "secret", Mechanism = 1 }] }, answer => answer.Results[0].ErrorCode);
        Add(Cluster, new DescribeLogDirsRequest { Topics = null }, answer => answer.ErrorCode);
        Add(Topic, new DescribeProducersRequest { Topics = [new() { Name = "secret", PartitionIndexes = [0] }] }, answer => answer.Topics[0].Partitions[0].ErrorCode);
        Add(Transaction, new DescribeTransactionsRequest { TransactionalIds = ["secret"] }, answer => answer.TransactionStates[0].ErrorCode);
        Add(ErrorCode.None, new ListTransactionsRequest(), answer => answer.TransactionStates.Count == 0 ? answer.ErrorCode : ErrorCode.UnknownServerError);
        Add(Group, new ConsumerGroupHeartbeatRequest { GroupId = "secret", MemberId = "m" }, answer => answer.ErrorCode);
        Add(Group, new ConsumerGroupDescribeRequest { GroupIds = ["secret"] }, answer => answer.Groups[0].ErrorCode);
        Add(Topic, new DescribeTopicPartitionsRequest { Topics = [new() { Name = "secret" }], ResponsePartitionLimit = 10 }, answer => answer.Topics[0].ErrorCode);
        Add(Cluster, new AlterReplicaLogDirsRequest { Dirs = [new() { Path = "/", Topics = [new() { Name = "secret", Partitions = [0] }] }] }, answer => answer.Results[0].Partitions[0].ErrorCode);
        Add(Cluster, new ElectLeadersRequest { TopicPartitions = null }, answer => answer.ErrorCode);
        Add(Cluster, new AlterPartitionReassignmentsRequest(), answer => answer.ErrorCode);
        Add(Cluster, new ListPartitionReassignmentsRequest { Topics = null }, answer => answer.ErrorCode);
        Add(Cluster, new UpdateFeaturesRequest(), answer => answer.ErrorCode);
        Add(Cluster, new WriteTxnMarkersRequest { Markers = [new() { Topics = [new() { Name = "secret", PartitionIndexes = [0] }] }] }, answer => answer.Markers[0].Topics[0].Partitions[0].ErrorCode);
        return probes;

        void Add<TResponse>(ErrorCode expected, IRequest<TResponse> request, Func<TResponse, ErrorCode> error)
            where TResponse : IApiMessage, IApiSchema, new() => probes.Add(TResponse.ApiKey, client => ProbeAsync(client, expected, _ => request, error));

        void AddFor<TRequest, TResponse>(ErrorCode expected, Func<short, TRequest?> request, Func<TResponse, ErrorCode> error)
            where TRequest : class, IRequest<TResponse>
            where TResponse : IApiMessage, IApiSchema, new() => probes.Add(TResponse.ApiKey, client => ProbeAsync(client, expected, request, error));
    }

    private static async Task<string> ProbeAsync<TResponse>(WireConnection client, ErrorCode expected, Func<short, IRequest<TResponse>?> build, Func<TResponse, ErrorCode> error)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        try
        {
            var answer = await client.SendAsync(version => build(version) ?? throw new NotSupportedException("this version asks by id"), TestContext.Current.CancellationToken);
            return error(answer) == expected ? "" : $"expected {expected}, the answer says {error(answer)}";
        }
        catch (NotSupportedException)
        {
            return ""; // covered where ids are known
        }
        catch (ArgumentOutOfRangeException)
        {
            return "the answer has no entry for what was asked";
        }
    }
}
