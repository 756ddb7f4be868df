using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Requests;

/// <summary>Fetch with sessions (KIP-227) and with topic ids (KIP-516).</summary>
public sealed class FetchSessionTests
{
    [Fact]
    public async Task Session_answers_everything_first_and_then_what_is_new()
    {
        await using var broker = await StartAsync();
        var session = new Session(broker);
        Assert.Equal([("t", 0), ("t", 1), ("u", 0)], Names(await session.FetchAsync(("t", 0, 0), ("t", 1, 0), ("u", 0, 0))));
        Assert.NotEqual(0, session.Id);
        Assert.Empty(Names(await session.FetchAsync()));

        await broker.ProduceAsync("t", Batches.Of("a"), partition: 1);
        var response = await session.FetchAsync();
        Assert.Equal([("t", 1)], Names(response));
        Assert.Equal([(0L, "a")], Batches.Read(response.Responses[0].Partitions[0].Records));
        Assert.Equal([("t", 1)], Names(await session.FetchAsync())); // the offset asked for is still the old one: data again
        Assert.Empty(Names(await session.FetchAsync(("t", 1, 1))));
    }

    [Fact]
    public async Task Partitions_are_added_and_forgotten()
    {
        await using var broker = await StartAsync();
        var session = new Session(broker);
        await session.FetchAsync(("t", 0, 0));
        Assert.Equal([("u", 0)], Names(await session.FetchAsync(("u", 0, 0))));
        await broker.ProduceAsync("t", Batches.Of("a"));
        await broker.ProduceAsync("u", Batches.Of("b"));
        session.Forget("t", 0);
        Assert.Equal([("u", 0)], Names(await session.FetchAsync()));
    }

    [Fact]
    public async Task Moved_log_start_and_errors_are_news()
    {
        await using var broker = await StartAsync();
        await broker.ProduceAsync("t", Batches.Of("a", "b"));
        var session = new Session(broker);
        await session.FetchAsync(("t", 0, 2));
        await broker.SendAsync(new DeleteRecordsRequest { Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Offset = 1 }] }] });
        Assert.Equal(1, (await session.FetchAsync()).Responses.Single().Partitions.Single().LogStartOffset);
        Assert.Empty(Names(await session.FetchAsync()));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await session.FetchAsync(("t", 0, 99))).Responses.Single().Partitions.Single().ErrorCode);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await session.FetchAsync()).Responses.Single().Partitions.Single().ErrorCode);
        Assert.Equal([("t", 0)], Names(await session.FetchAsync(("t", 0, 2)))); // and that it is over is news
    }

    [Fact]
    public async Task Busy_partition_does_not_starve_the_others()
    {
        await using var broker = await StartAsync();
        await broker.ProduceAsync("t", Batches.Of(new string('a', 500)));
        await broker.ProduceAsync("t", Batches.Of(new string('b', 500)), partition: 1);
        var session = new Session(broker) { MaxBytes = 600 };
        await session.FetchAsync(("t", 0, 0), ("t", 1, 0));
        // The offsets stay, so both have data each time, but there is room for one.
        var seen = new List<int>();
        for (var i = 0; i < 4; i++)
            seen.Add((await session.FetchAsync()).Responses.SelectMany(topic => topic.Partitions).Single(partition => partition.Records is { Length: > 0 }).PartitionIndex);
        Assert.Equal([1, 0, 1, 0], seen);
    }

    [Fact]
    public async Task Wrong_epoch_and_unknown_session_are_refused_and_the_last_request_closes_it()
    {
        await using var broker = await StartAsync();
        var session = new Session(broker);
        await session.FetchAsync(("t", 0, 0));
        session.Epoch = 5;
        Assert.Equal(ErrorCode.InvalidFetchSessionEpoch, (await session.FetchAsync()).ErrorCode);
        session.Epoch = 1;
        Assert.Equal(ErrorCode.None, (await session.FetchAsync()).ErrorCode);
        var id = session.Id;
        session.Epoch = -1;
        Assert.Equal(0, (await session.FetchAsync(("t", 0, 0))).SessionId);
        (session.Id, session.Epoch) = (id, 2);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await session.FetchAsync()).ErrorCode);
    }

    [Fact]
    public async Task Sessions_are_bounded_and_one_that_is_not_used_makes_room()
    {
        await using var broker = await StartAsync(("max.incremental.fetch.session.cache.slots", "2"));
        var sessions = Enumerable.Range(0, 3).Select(_ => new Session(broker)).ToList();
        foreach (var session in sessions)
            Assert.Equal([("t", 0)], Names(await session.FetchAsync(("t", 0, 0))));
        Assert.NotEqual(0, sessions[1].Id);
        Assert.Equal(0, sessions[2].Id); // goes on without

        broker.Clock.Advance(TimeSpan.FromMinutes(1.5));
        await sessions[0].FetchAsync();
        broker.Clock.Advance(TimeSpan.FromMinutes(1));
        sessions[2].Epoch = 0;
        await sessions[2].FetchAsync(("t", 0, 0));
        Assert.NotEqual(0, sessions[2].Id);
        Assert.Equal(ErrorCode.None, (await sessions[0].FetchAsync()).ErrorCode);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await sessions[1].FetchAsync()).ErrorCode);
    }

    [Fact]
    public async Task Incremental_fetch_is_parked_until_there_is_data()
    {
        await using var broker = await StartAsync();
        var session = new Session(broker) { MaxWaitMs = 1000 };
        broker.Clock.Advance(TimeSpan.Zero);
        var first = session.FetchAsync(("t", 0, 0), ("u", 0, 0));
        await broker.ParkedFetchesAsync("u", 1);
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        await first;
        var parked = session.FetchAsync();
        await broker.ParkedFetchesAsync("u", 1);
        await broker.ProduceAsync("u", Batches.Of("a"));
        Assert.Equal([("u", 0)], Names(await parked));
    }

    [Fact]
    public async Task Topics_are_found_by_id_and_unknown_ids_have_their_error()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.Of("a"));
        var id = broker.Server.State.View.Find("t")!.Id;
        using var client = new RawClient(broker.Port);
        var request = TestBroker.Fetch("", 0);
        request.Topics[0].TopicId = id;
        request.Topics.Add(new() { TopicId = Guid.NewGuid(), Partitions = [new() { Partition = 0, PartitionMaxBytes = 1000 }] });
        request.Topics.Add(new() { TopicId = Guid.Empty, Partitions = [new() { Partition = 0, PartitionMaxBytes = 1000 }] });
        for (short version = 13; version <= 16; version++)
        {
            var response = await client.CallAsync(request, version, version);
            Assert.Equal((id, ErrorCode.None), (response.Responses[0].TopicId, response.Responses[0].Partitions[0].ErrorCode));
            Assert.Equal([(0L, "a")], Batches.Read(response.Responses[0].Partitions[0].Records));
            Assert.Equal((request.Topics[1].TopicId, ErrorCode.UnknownTopicId), (response.Responses[1].TopicId, response.Responses[1].Partitions[0].ErrorCode));
            Assert.Equal(ErrorCode.UnknownTopicId, response.Responses[2].Partitions[0].ErrorCode);
        }
    }

    [Fact]
    public async Task Session_keeps_to_names_or_to_ids()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        using var client = new RawClient(broker.Port);
        var request = TestBroker.Fetch("t", 0);
        (request.SessionId, request.SessionEpoch) = (0, 0);
        var opened = await client.CallAsync(request, 12, 1);
        Assert.NotEqual(0, opened.SessionId);
        var next = new FetchRequest { SessionId = opened.SessionId, SessionEpoch = 1, MinBytes = 0 };
        Assert.Equal(ErrorCode.FetchSessionTopicIdError, (await client.CallAsync(next, 13, 2)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.CallAsync(next, 12, 3)).ErrorCode);
    }

    private static async Task<TestBroker> StartAsync(params (string Key, string Value)[] settings)
    {
        var broker = await TestBroker.StartAsync(settings);
        await broker.CreateTopicAsync("t", 2);
        await broker.CreateTopicAsync("u");
        return broker;
    }

    private static List<(string, int)> Names(FetchResponse response)
    {
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        return [.. response.Responses.SelectMany(topic => topic.Partitions.Select(partition => (topic.Topic, partition.PartitionIndex)))];
    }

    /// <summary>A client's side of a session: its id and epoch.</summary>
    private sealed class Session(TestBroker broker)
    {
        private readonly List<FetchRequest.ForgottenTopic> _forgotten = [];

        public int Id { get; set; }

        public int Epoch { get; set; }

        public int MaxBytes { get; init; } = 1 << 20;

        public int MaxWaitMs { get; init; }

        public void Forget(string topic, int partition) => _forgotten.Add(new() { Topic = topic, Partitions = [partition] });

        public async Task<FetchResponse> FetchAsync(params (string Topic, int Partition, long Offset)[] partitions)
        {
            var response = await broker.SendAsync(new FetchRequest
            {
                SessionId = Id,
                SessionEpoch = Epoch,
                MaxWaitMs = MaxWaitMs,
                MinBytes = 1,
                MaxBytes = MaxBytes,
                Topics = [.. partitions.Select(one => new FetchRequest.FetchTopic
                {
                    Topic = one.Topic,
                    Partitions = [new() { Partition = one.Partition, FetchOffset = one.Offset, PartitionMaxBytes = MaxBytes }],
                })],
                ForgottenTopicsData = [.. _forgotten],
            });
            _forgotten.Clear();
            if (response.ErrorCode == ErrorCode.None)
                (Id, Epoch) = (response.SessionId, response.SessionId == 0 ? -1 : Epoch + 1);
            return response;
        }
    }
}
