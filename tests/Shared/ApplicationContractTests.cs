using System.Globalization;
using System.Text.RegularExpressions;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Tests.Shared;

/// <summary>
/// What whole applications do on every <see cref="ICluster"/>: they are started, stopped, killed in parts, moved and asked, and their output is compared with a computation
/// that knows nothing of streams. A test project derives from it and says which cluster.
/// </summary>
public abstract class ApplicationContractTests : ApplicationScene
{
    private const int Partitions = 4;
    private const int Keys = 40;

    [Fact]
    public async Task Stateless_application_processes_every_record_and_goes_on_after_a_restart()
    {
        var input = await NewTopicAsync("input", 3);
        var output = await NewTopicAsync("output", 2);
        Produce(input, Numbers(0, 3000, Keys));
        using var outputs = Follow(output);
        var first = await StartAsync(Copying(input, output));
        await outputs.WaitForCountAsync(3000);
        await CloseAsync(first);
        Assert.Equal(KafkaStreamsState.NotRunning, first.State);

        Produce(input, Numbers(3000, 3500, Keys));
        var second = await StartAsync(Copying(input, output));
        await outputs.WaitForCountAsync(3500);
        await CloseAsync(second);
        var values = (await outputs.ReadToEndAsync()).Select(record => int.Parse(record.Value!, CultureInfo.InvariantCulture)).Order();
        Assert.Equal(Enumerable.Range(0, 3500), values);
        Assert.All(outputs.Records.GroupBy(record => record.Key), key => Assert.Equal(key.Select(record => record.Value).OrderBy(value => int.Parse(value!, CultureInfo.InvariantCulture)), key.Select(record => record.Value)));
    }

    [Fact]
    public async Task Headers_nulls_and_timestamps_pass_through()
    {
        var input = await NewTopicAsync("input", 1);
        var output = await NewTopicAsync("output", 1);
        var headers = Headers.Empty.Add("a", "first").Add("none", (ReadOnlyMemory<byte>?)null).Add("a", "second").Add("ü", "");
        Produce(input, [("k", "v")], _ => 5, headers);
        Produce(input, [(null, "no key"), ("no value", null), ("", ""), (null, null), ("ß", new string('x', 100_000))], number => 100 - number);
        using var outputs = Follow(output);
        var topology = new Topology()
            .AddSource("source", Strings, input)
            .AddProcessor<string, string>("stamp", () => new Stamp(), "source")
            .AddSink("sink", output, new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "stamp");
        var app = await StartAsync(topology);
        await outputs.WaitForCountAsync(6);
        await CloseAsync(app);

        var records = await outputs.ReadToEndAsync();
        Assert.Equal(["k", null, "no value", "", null, "ß"], records.Select(record => record.Key));
        Assert.Equal(["v", "no key", null, "", null, new string('x', 100_000)], records.Select(record => record.Value));
        Assert.Equal([5, 100, 99, 98, 97, 96], records.Select(record => record.Timestamp - Start));
        Assert.Equal(["a", "none", "a", "ü", "stamp"], records[0].Headers.Select(header => header.Key));
        Assert.Equal(["first", null, "second", "", "was here"], records[0].Headers.Select(header => header.ValueAsString()));
        Assert.All(records.Skip(1), record => Assert.Equal("stamp", Assert.Single(record.Headers).Key));
    }

    [Fact]
    public async Task Words_are_counted_exactly_once_by_way_of_a_repartition_topic()
    {
        const int Lines = 600;
        var input = await NewTopicAsync("lines", 3);
        var output = await NewTopicAsync("output", 2);
        var random = new Random(20261121);
        var lines = Enumerable.Range(0, Lines).Select(_ => string.Join(' ', Enumerable.Range(0, 1 + random.Next(8)).Select(_ => $"word{random.Next(60)}"))).ToList();
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(input)
            .FlatMapValues(line => line.Split(' '))
            .GroupBy((_, word) => word, Grouped.As("by-word"))
            .Count(Materialized.As("words").WithCachingDisabled())
            .ToStream()
            .MapValues(count => count.ToString(CultureInfo.InvariantCulture))
            .To(output);
        using var outputs = Follow(output);
        var app = await StartAsync(builder.Build(), change: config => ExactlyOnce(config) with { NumStreamThreads = 2 });
        Produce(input, lines.Select((line, number) => ((string?)$"line{number}", (string?)line)));
        var expected = lines.SelectMany(line => line.Split(' ')).GroupBy(word => word).ToDictionary(word => word.Key, word => word.Count());
        await outputs.WaitForCountAsync(expected.Values.Sum());
        await CloseAsync(app);

        AssertCounted(await outputs.ReadToEndAsync(), expected);
        using var admin = Cluster.CreateAdmin("suite");
        Assert.Equal(3, (await admin.DescribeTopicsAsync([Topic("by-word-repartition")], Token)).Values.Single());
    }

    /// <summary>E-110: user code that throws: the thread is replaced, and every record counts once.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Replaced_thread_counts_every_record_once(int threads)
    {
        const int Records = 4000;
        var (input, output) = await NewTopicsAsync();
        var failures = new List<string>();
        var thrown = 0;
        using var outputs = Follow(output);
        var app = await StartAsync(
            Counting(input, output, StoreType.RocksDb, number =>
            {
                if (number % 1000 == 777 && Interlocked.Increment(ref thrown) <= 3) throw new FormatException("for the test");
            }),
            change: config => ExactlyOnce(config) with
            {
                NumStreamThreads = threads,
                UncaughtExceptionHandler = failure =>
                {
                    lock (failures) failures.Add(failure.GetType().Name);
                    return StreamThreadExceptionResponse.ReplaceThread;
                },
            });

        // Portions that are committed before the next one comes, so that there is something to go back to.
        for (var sent = 0; sent < Records; sent += 1000)
        {
            Produce(input, Numbers(sent, sent + 1000, Keys));
            await outputs.WaitForCountAsync(sent + 1000);
        }

        await CloseAsync(app);
        Assert.Equal(["ProcessorException", "ProcessorException", "ProcessorException"], failures);
        AssertCounted(await outputs.ReadToEndAsync(), Evenly(Records));
    }

    [Fact]
    public async Task Instances_share_the_partitions_and_hand_them_over_exactly()
    {
        var (input, output) = await NewTopicsAsync();
        using var outputs = Follow(output);
        var one = await StartAsync(Counting(input, output, StoreType.RocksDb), 1, ExactlyOnce);
        await WaitUntilAsync(() => TasksOf(one) == Partitions);
        Produce(input, Numbers(0, 1000, Keys));
        await outputs.WaitForCountAsync(1000);
        var two = await StartAsync(Counting(input, output, StoreType.RocksDb), 2, ExactlyOnce);
        Produce(input, Numbers(1000, 2000, Keys));
        await WaitUntilAsync(() => TasksOf(one) == Partitions / 2 && TasksOf(two) == Partitions / 2);
        Produce(input, Numbers(2000, 3000, Keys));
        await outputs.WaitForCountAsync(3000);
        await CloseAsync(one);
        await WaitUntilAsync(() => TasksOf(two) == Partitions);
        Produce(input, Numbers(3000, 4000, Keys));
        await outputs.WaitForCountAsync(4000);
        await CloseAsync(two);

        AssertCounted(await outputs.ReadToEndAsync(), Evenly(4000));
    }

    [Fact]
    public async Task Clean_restart_restores_nothing_and_lost_state_is_restored_in_full()
    {
        var (input, output) = await NewTopicsAsync();
        using var outputs = Follow(output);
        Produce(input, Numbers(0, 4000, Keys));
        var first = await StartAsync(Counting(input, output, StoreType.RocksDb));
        await outputs.WaitForCountAsync(4000);
        Assert.Throws<InvalidOperationException>(first.CleanUp);
        await CloseAsync(first);

        var restored = new RestoreCount();
        var second = await StartAsync(Counting(input, output, StoreType.RocksDb), change: config => config with { StateRestoreListener = restored });
        await WaitForRunningAsync(second);
        await WaitUntilAsync(() => TasksOf(second) == Partitions);
        Assert.Equal(0, restored.Records);
        await CloseAsync(second);

        Directory.Delete(StateOf(0), recursive: true);
        var third = await StartAsync(Counting(input, output, StoreType.RocksDb), change: config => config with { StateRestoreListener = restored });
        await WaitUntilAsync(() => TasksOf(third) == Partitions && third.State == KafkaStreamsState.Running && restored.Ended == Partitions);
        Assert.Equal(4000, restored.Records);
        Produce(input, Numbers(4000, 5000, Keys));
        await outputs.WaitForCountAsync(5000);
        await CloseAsync(third);
        third.CleanUp();
        AssertCounted(await outputs.ReadToEndAsync(), Evenly(5000));
    }

    /// <summary>E-112.</summary>
    [Theory]
    [InlineData(StoreType.RocksDb)]
    [InlineData(StoreType.InMemory)]
    public async Task Standby_takes_over_without_restoring_what_it_has(StoreType storeType)
    {
        const int Records = 8000;
        var (input, output) = await NewTopicsAsync();
        var changelog = Topic("counts-changelog");
        var restored = new RestoreCount();
        var follows = new StandbyCount();
        using var outputs = Follow(output);
        var one = await StartAsync(Counting(input, output, storeType), 1, config => config with { NumStandbyReplicas = 1 });
        var two = await StartAsync(Counting(input, output, storeType), 2, config => config with { NumStandbyReplicas = 1, NumStreamThreads = 2, StateRestoreListener = restored, StandbyUpdateListener = follows });
        await WaitUntilAsync(() => TasksOf(one) is 1 or 2 && TasksOf(one) + TasksOf(two) == Partitions && one.State == KafkaStreamsState.Running && two.State == KafkaStreamsState.Running);
        var atStart = restored.Records;
        Produce(input, Numbers(0, Records, Keys));
        await outputs.WaitForCountAsync(Records);

        // Standbys have everything once they have read as much as the changelogs of the other instance's tasks hold.
        var own = two.TasksByThread.Values.SelectMany(tasks => tasks).Select(task => task.Partition).ToHashSet();
        var toFollow = TestTopics.Offsets(Cluster, changelog, end: true).Where(entry => !own.Contains(entry.Key.Partition)).Sum(entry => entry.Value);
        await WaitUntilAsync(() => follows.Records >= toFollow);
        await CloseAsync(one);
        await WaitUntilAsync(() => TasksOf(two) == Partitions && two.State == KafkaStreamsState.Running);
        Produce(input, Numbers(Records, Records + 1000, Keys));
        await outputs.WaitForCountAsync(Records + 1000);
        await CloseAsync(two);

        Assert.True(restored.Records - atStart <= 200, $"{restored.Records - atStart} records were restored");
        Assert.Equal(StandbySuspendReason.Promoted, follows.LastReason);
        AssertCounted(await outputs.ReadToEndAsync(), Evenly(Records + 1000));
    }

    /// <summary>KIP-345: a static member that is back within its session time-out has its tasks again, and nobody else hears of it.</summary>
    [Fact]
    public async Task Static_member_that_restarts_moves_no_tasks()
    {
        var (input, output) = await NewTopicsAsync();
        using var log = new TaskLog();
        using var outputs = Follow(output);
        var one = await StartAsync(Counting(input, output, StoreType.RocksDb), 1, config => config with { GroupInstanceId = "one" });
        var two = await StartAsync(Counting(input, output, StoreType.RocksDb), 2, config => config with { GroupInstanceId = "two", LoggerFactory = log });
        await WaitUntilAsync(() => TasksOf(one) == Partitions / 2 && TasksOf(two) == Partitions / 2 && one.State == KafkaStreamsState.Running && two.State == KafkaStreamsState.Running);
        Produce(input, Numbers(0, 1000, Keys));
        await outputs.WaitForCountAsync(1000);
        var ofOne = Tasks(one);
        var ofTwo = Tasks(two);
        var joins = log.Count("Joined group");
        Assert.True(joins > 0);

        Assert.True(await one.CloseAsync(Patience));
        Produce(input, Numbers(1000, 2000, Keys));
        var again = await StartAsync(Counting(input, output, StoreType.RocksDb), 1, config => config with { GroupInstanceId = "one" });
        await outputs.WaitForCountAsync(2000);
        Assert.Equal(ofOne, Tasks(again));
        Assert.Equal(ofTwo, Tasks(two));
        Assert.Equal(joins, log.Count("Joined group"));
        await CloseAsync(again);
        await CloseAsync(two);
        AssertCounted(await outputs.ReadToEndAsync(), Evenly(2000));

        static IEnumerable<TaskId> Tasks(KafkaStreams app) => app.TasksByThread.Values.SelectMany(tasks => tasks).OrderBy(task => task.Partition);
    }

    [Fact]
    public async Task Windowed_join_of_streams_gives_every_pair_once()
    {
        const int Count = 300;
        const int WindowMs = 20_000;
        var left = await NewTopicAsync("left", 3);
        var right = await NewTopicAsync("right", 3);
        var output = await NewTopicAsync("output", 2);
        var random = new Random(20261122);
        var lefts = Events("l");
        var rights = Events("r");
        Produce(left, lefts.Select(item => ((string?)item.Key, (string?)item.Value)), number => lefts[number].Time);
        Produce(right, rights.Select(item => ((string?)item.Key, (string?)item.Value)), number => rights[number].Time);
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(left)
            .Join(
                builder.Stream<string, string>(right),
                (one, other) => $"{one}+{other}",
                JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(WindowMs), TimeSpan.FromHours(1)),
                StreamJoined.As("pairs"))
            .To(output);
        var expected = (from one in lefts from other in rights where one.Key == other.Key && Math.Abs(one.Time - other.Time) <= WindowMs select $"{one.Key}:{one.Value}+{other.Value}@{Math.Max(one.Time, other.Time)}").ToList();
        using var outputs = Follow(output);
        var app = await StartAsync(builder.Build(), change: config => ExactlyOnce(config) with { NumStreamThreads = 2 });
        await outputs.WaitForCountAsync(expected.Count);
        await CloseAsync(app);
        var actual = (await outputs.ReadToEndAsync()).Select(record => $"{record.Key}:{record.Value}@{record.Timestamp - Start}");
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
        Assert.True(expected.Count > 100, $"only {expected.Count} pairs");

        List<(string Key, string Value, long Time)> Events(string name) => [.. Enumerable.Range(0, Count).Select(number => ($"k{random.Next(20)}", $"{name}{number}", (long)random.Next(600_000)))];
    }

    [Fact]
    public async Task Joined_tables_follow_both_sides()
    {
        var orders = await NewTopicAsync("orders", 3);
        var customers = await NewTopicAsync("customers", 2);
        var notes = await NewTopicAsync("notes", 3);
        var named = await NewTopicAsync("named", 2);
        var noted = await NewTopicAsync("noted", 1);
        var builder = new StreamsBuilder();
        var table = builder.Table<string, string>(orders);
        table.Join(builder.Table<string, string>(customers), customer => customer, (customer, name) => $"{customer} is {name}").ToStream().To(named);
        table.LeftJoin(builder.Table<string, string>(notes), (customer, note) => $"{customer}, {note ?? "no note"}").ToStream().To(noted);

        var orderRows = Enumerable.Range(0, 200).ToDictionary(number => $"o{number}", number => (string?)$"c{number % 25}");
        var customerRows = Enumerable.Range(0, 20).ToDictionary(number => $"c{number}", number => (string?)$"name {number}");
        var noteRows = Enumerable.Range(0, 100).ToDictionary(number => $"o{2 * number}", number => (string?)$"note {number}");
        Produce(orders, Rows(orderRows));
        Produce(customers, Rows(customerRows));
        Produce(notes, Rows(noteRows));
        using var byName = Follow(named);
        using var byNote = Follow(noted);
        var app = await StartAsync(builder.Build(), change: ExactlyOnce);
        await WaitForJoinsAsync();

        var moved = Enumerable.Range(0, 60).ToDictionary(number => $"o{number}", number => number % 3 == 0 ? null : $"c{(number + 7) % 25}");
        var renamed = new Dictionary<string, string?> { ["c3"] = "another", ["c4"] = null, ["c22"] = "new" };
        var rewritten = new Dictionary<string, string?> { ["o2"] = null, ["o3"] = "late", ["o199"] = "last" };
        Produce(orders, Rows(moved), number => 10_000 + number);
        Produce(customers, Rows(renamed), number => 10_000 + number);
        Produce(notes, Rows(rewritten), number => 10_000 + number);
        foreach (var (key, value) in moved) orderRows[key] = value;
        foreach (var (key, value) in renamed) customerRows[key] = value;
        foreach (var (key, value) in rewritten) noteRows[key] = value;
        await WaitForJoinsAsync();
        await CloseAsync(app);

        async Task WaitForJoinsAsync()
        {
            var live = orderRows.Where(order => order.Value is not null).ToList();
            var expectedNames = live.Where(order => customerRows.GetValueOrDefault(order.Value!) is not null).ToDictionary(order => order.Key, order => $"{order.Value} is {customerRows[order.Value!]}");
            var expectedNotes = live.ToDictionary(order => order.Key, order => $"{order.Value}, {noteRows.GetValueOrDefault(order.Key) ?? "no note"}");
            await byName.WaitUntilAsync(() => Same(byName.Table(), expectedNames), $"{expectedNames.Count} joined rows");
            await byNote.WaitUntilAsync(() => Same(byNote.Table(), expectedNotes), $"{expectedNotes.Count} rows with notes");
        }

        static IEnumerable<(string?, string?)> Rows(Dictionary<string, string?> rows) => rows.Select(row => ((string?)row.Key, row.Value));

        static bool Same(IReadOnlyDictionary<string, string> actual, Dictionary<string, string> expected) =>
            actual.Count == expected.Count && expected.All(row => actual.TryGetValue(row.Key, out var value) && value == row.Value);
    }

    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public async Task Global_table_has_everything_that_was_there_at_the_start_and_follows_updates_and_restarts(StoreType storeType)
    {
        var orders = await NewTopicAsync("orders", 2);
        var customers = await NewTopicAsync("customers", 3);
        var output = await NewTopicAsync("output", 1);
        Produce(customers, Enumerable.Range(0, 3000).Select(number => ((string?)$"c{number % 500}", (string?)$"old{number}")));
        Produce(customers, Enumerable.Range(0, 500).Select(number => ((string?)$"c{number}", (string?)$"n{number}")), number => 3000 + number);
        Produce(orders, Enumerable.Range(0, 500).Select(number => ((string?)$"o{number}", (string?)$"c{number}")));
        using var outputs = Follow(output);
        var app = await StartAsync(Join());
        await outputs.WaitForCountAsync(500);
        Assert.Equal(Enumerable.Range(0, 500).Select(number => $"c{number}=n{number}").Order(StringComparer.Ordinal), outputs.Records.Select(record => record.Value!).Order(StringComparer.Ordinal));

        // There is no order between the two topics, so ask until the update shows.
        Produce(customers, [("c7", "new")], _ => 10_000);
        var asked = TimeProvider.System.GetTimestamp();
        string? answer;
        do
        {
            Assert.True(TimeProvider.System.GetElapsedTime(asked) < Patience, "the update does not show");
            var before = outputs.Records.Count;
            Produce(orders, [("ask", "c7")]);
            await outputs.WaitForCountAsync(before + 1);
            answer = outputs.Records[before].Value;
        }
        while (answer != "c7=new");
        await CloseAsync(app);

        // Written while nobody ran: a restart has it before its first record.
        Produce(customers, [("c8", "later")], _ => 11_000);
        var done = outputs.Records.Count;
        Produce(orders, [("a", "c8"), ("b", "c7"), ("c", "c9")]);
        var again = await StartAsync(Join());
        await outputs.WaitForCountAsync(done + 3);
        await CloseAsync(again);
        Assert.Equal(["c7=new", "c8=later", "c9=n9"], outputs.Records.Skip(done).Select(record => record.Value!).Order(StringComparer.Ordinal));
        Assert.Equal(storeType == StoreType.RocksDb, Directory.Exists(Path.Combine(StateOf(0), ApplicationId, "global", "customer-store")));

        Topology Join()
        {
            var builder = new StreamsBuilder(new StreamsBuilderOptions { DefaultStoreType = storeType });
            var table = builder.GlobalTable<string, string>(customers, null, Materialized.As("customer-store"));
            builder.Stream<string, string>(orders).Join(table, (_, customer) => customer, (customer, name) => $"{customer}={name}").To(output);
            return builder.Build();
        }
    }

    [Fact]
    public async Task Topics_made_later_are_read_by_a_pattern_and_deleted_ones_are_given_up()
    {
        var output = await NewTopicAsync("output", 1);
        var other = await NewTopicAsync("other", 1);
        var topology = new Topology()
            .AddSource("source", Strings, new Regex(Topic("in-") + ".*"))
            .AddSink("sink", output, new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "source");
        using var outputs = Follow(output);
        var app = await StartAsync(topology, change: config => config with { MetadataMaxAge = TimeSpan.FromMilliseconds(100) });
        await WaitForRunningAsync(app);
        Assert.Equal(0, TasksOf(app));

        var first = await NewTopicAsync("in-a", 2);
        Produce(first, Some("a", 20));
        Produce(other, [("k", "not matched")]);
        await outputs.WaitForCountAsync(20);
        Assert.Equal(2, TasksOf(app));

        // The second topic's first two partitions go to tasks that run already.
        var second = await NewTopicAsync("in-b", 3);
        Produce(second, Some("b", 30));
        await outputs.WaitForCountAsync(50);
        await WaitUntilAsync(() => TasksOf(app) == 3);

        // With the default max.task.idle.ms a task would wait for ever for a partition that is gone.
        using (var admin = Cluster.CreateAdmin("suite")) await admin.DeleteTopicsAsync([second], Token);
        await WaitUntilAsync(() => TasksOf(app) == 2);
        Produce(first, Some("c", 20));
        await outputs.WaitForCountAsync(70);
        await CloseAsync(app);
        var values = (await outputs.ReadToEndAsync()).Select(record => record.Value).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(70, values.Distinct().Count());
        Assert.Equal(70, values.Count);
        Assert.DoesNotContain("not matched", values);

        static IEnumerable<(string?, string?)> Some(string name, int count) => Enumerable.Range(0, count).Select(number => ((string?)$"k{number}", (string?)$"{name}{number}"));
    }

    /// <summary>User code that throws and is told to continue: exactly those records are missing, nothing is counted twice, and a topic says why.</summary>
    [Fact]
    public async Task Failed_records_are_left_out_and_go_to_the_dead_letter_topic()
    {
        const int Records = 2000;
        var (input, output) = await NewTopicsAsync();
        var dead = await NewTopicAsync("dead", 1);
        using var outputs = Follow(output);
        using var letters = Follow(dead);
        var app = await StartAsync(
            Counting(input, output, StoreType.RocksDb, number =>
            {
                if (number % 100 == 7) throw new FormatException("no good");
            }),
            change: config => ExactlyOnce(config) with { ProcessingExceptionHandler = ErrorHandlers.LogAndContinue, DeadLetterTopic = dead });
        Produce(input, Numbers(0, Records, Keys));
        await outputs.WaitForCountAsync(Records - Records / 100);
        await CloseAsync(app);

        var failed = Enumerable.Range(0, Records).Where(number => number % 100 == 7).ToList();
        AssertCounted(await outputs.ReadToEndAsync(), Enumerable.Range(0, Records).Except(failed).GroupBy(number => $"k{number % Keys}").ToDictionary(key => key.Key, key => key.Count()));
        var seen = await letters.ReadToEndAsync();
        Assert.Equal(failed, seen.Select(record => int.Parse(record.Value!, CultureInfo.InvariantCulture)).Order());
        Assert.All(seen, record =>
        {
            Assert.Equal($"k{int.Parse(record.Value!, CultureInfo.InvariantCulture) % Keys}", record.Key);
            Assert.Equal(typeof(FormatException).FullName, Header(record, DeadLetterRecord.ExceptionHeader));
            Assert.Equal("no good", Header(record, DeadLetterRecord.MessageHeader));
            Assert.Equal(input, Header(record, DeadLetterRecord.TopicHeader));
            Assert.True(long.Parse(Header(record, DeadLetterRecord.OffsetHeader)!, CultureInfo.InvariantCulture) >= 0);
        });

        static string? Header(SeenRecord record, string key) => record.Headers.TryGetLast(key, out var header) ? header.ValueAsString() : null;
    }

    [Fact]
    public async Task Suppressed_windows_come_once_and_whole_although_the_state_is_lost_in_between()
    {
        const int Records = 1000;
        const int WindowMs = 10_000;
        var input = await NewTopicAsync("input", 1);
        var output = await NewTopicAsync("output", 1);
        using var outputs = Follow(output);
        var records = Numbers(0, Records, 7).ToList();
        var first = await StartAsync(Windows(), 1, ExactlyOnce);
        Produce(input, records.Take(Records / 2), number => number * 100L);
        await WaitUntilAsync(() => first.ProcessedRecords == Records / 2);
        await CloseAsync(first);

        // The window in the middle was open then: the rest of it comes to an instance that has to restore it.
        var second = await StartAsync(Windows(), 2, ExactlyOnce);
        Produce(input, records.Skip(Records / 2).Append(("end", "")), number => number < Records / 2 ? (Records / 2 + number) * 100L : Records * 100L + WindowMs);
        var expected = Enumerable.Range(0, Records).GroupBy(number => $"k{number % 7}@{number * 100 / WindowMs * WindowMs}").ToDictionary(window => window.Key, window => window.Count().ToString(CultureInfo.InvariantCulture));
        await outputs.WaitForCountAsync(expected.Count);
        await CloseAsync(second);
        var actual = await outputs.ReadToEndAsync();
        Assert.Equal(expected.Select(window => $"{window.Key}={window.Value}").Order(StringComparer.Ordinal), actual.Select(record => $"{record.Key}={record.Value}").Order(StringComparer.Ordinal));

        Topology Windows()
        {
            var builder = new StreamsBuilder();
            builder.Stream<string, string>(input)
                .GroupByKey()
                .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMilliseconds(WindowMs)))
                .Count(Materialized.As("windows"))
                .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()).WithName("final"))
                .ToStream((window, _) => $"{window.Key}@{window.Window.StartMs - Start}")
                .MapValues(count => count.ToString(CultureInfo.InvariantCulture))
                .To(output);
            return builder.Build();
        }
    }

    /// <summary>E-112: of standbys, only who enables stale stores gets answers.</summary>
    [Fact]
    public async Task Instances_know_who_has_a_key_and_standbys_answer_when_asked_to()
    {
        var (input, output) = await NewTopicsAsync();
        var one = await StartAsync(Counting(input, output, StoreType.InMemory), 1, config => config with { ApplicationServer = "one:1", NumStandbyReplicas = 1 });
        var two = await StartAsync(Counting(input, output, StoreType.InMemory), 2, config => config with { ApplicationServer = "two:2", NumStandbyReplicas = 1 });
        using var outputs = Follow(output);
        Produce(input, Numbers(0, 1000, Keys));
        await outputs.WaitForCountAsync(1000);
        await WaitUntilAsync(() => one.MetadataForAllStreamsClients().Sum(host => host.ActiveTasks.Count) == Partitions && one.MetadataForAllStreamsClients().Sum(host => host.StandbyTasks.Count) == Partitions);

        // Metadata is that of the last assignment; who is to have a task may still be taking it over.
        await WaitUntilAsync(
            () => one.State == KafkaStreamsState.Running && two.State == KafkaStreamsState.Running
                && new[] { one, two }.Sum(app => app.MetadataForLocalThreads().Sum(thread => thread.ActiveTasks.Count(task => !task.IsRestoring))) == Partitions
                && new[] { one, two }.Sum(app => app.MetadataForLocalThreads().Sum(thread => thread.StandbyTasks.Count)) == Partitions);
        var apps = new Dictionary<string, KafkaStreams> { ["one"] = one, ["two"] = two };
        await WaitUntilAsync(() => Enumerable.Range(0, Keys).All(number => one.QueryMetadataForKey("counts", $"k{number}", Serdes.String) is { StandbyHosts.Count: 1 } where && where.ActiveHost != HostInfo.Unavailable));
        foreach (var key in Enumerable.Range(0, Keys).Select(number => $"k{number}"))
        {
            var where = one.QueryMetadataForKey("counts", key, Serdes.String);
            Assert.Equal(where.Partition, two.QueryMetadataForKey("counts", key, Serdes.String).Partition);
            var counts = StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()).WithPartition(where.Partition);
            Assert.True(apps[where.ActiveHost.Host].Store(counts).TryGet(key, out var count));
            Assert.Equal(1000 / Keys, count);
            var standby = apps[Assert.Single(where.StandbyHosts).Host];
            Assert.ThrowsAny<InvalidStateStoreException>(() => standby.Store(counts));
            var stale = standby.Store(counts.EnableStaleStores());
            await WaitUntilAsync(() => stale.TryGet(key, out var copy) && copy == 1000 / Keys);
        }

        await WaitUntilAsync(() => two.AllLocalStorePartitionLagsAsync().GetAwaiter().GetResult()["counts"].Values.All(lag => lag.OffsetLag == 0));
        Assert.Equal(Partitions, (await two.AllLocalStorePartitionLagsAsync(Token))["counts"].Count);
        Assert.Equal(2, one.StreamsMetadataForStore("counts").Count);
        Assert.Throws<UnknownStateStoreException>(() => one.StreamsMetadataForStore("nothing"));
        Assert.Equal(Partitions, one.MetadataForLocalThreads().Sum(thread => thread.ActiveTasks.Count + thread.StandbyTasks.Count));
        await CloseAsync(one);
        await CloseAsync(two);
    }

    [Fact]
    public async Task Reset_application_counts_everything_again()
    {
        var (input, output) = await NewTopicsAsync();
        var changelog = Topic("counts-changelog");
        using var outputs = Follow(output);
        Produce(input, Numbers(0, 400, Keys));
        var first = await StartAsync(Counting(input, output, StoreType.RocksDb));
        await outputs.WaitForCountAsync(400);
        var early = await ApplicationReset.PlanAsync(Cluster, ApplicationId, [input], ResetPosition.Earliest, Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ApplicationReset.RunAsync(Cluster, ApplicationId, early, Token));
        await CloseAsync(first);

        var plan = await ApplicationReset.PlanAsync(Cluster, ApplicationId, [input], ResetPosition.Earliest, Token);
        Assert.Equal([changelog], plan.InternalTopics);
        Assert.Equal(400, plan.Offsets.Sum(offset => offset.From));
        Assert.All(plan.Offsets, offset => Assert.Equal(0, offset.To));
        await ApplicationReset.RunAsync(Cluster, ApplicationId, plan, Token);
        using (var admin = Cluster.CreateAdmin("suite")) await WaitUntilAsync(() => !admin.ListTopicsAsync(Token).GetAwaiter().GetResult().Contains(changelog));

        var second = NewInstance(Counting(input, output, StoreType.RocksDb));
        second.CleanUp();
        await second.StartAsync(Token);
        await outputs.WaitForCountAsync(800);
        await CloseAsync(second);
        var seen = await outputs.ReadToEndAsync();
        Assert.Equal(800, seen.Count);
        Assert.All(seen.GroupBy(record => record.Key), key => Assert.Equal(
            Enumerable.Range(0, 800 / Keys).Select(number => (number % (400 / Keys) + 1).ToString(CultureInfo.InvariantCulture)), key.Select(record => record.Value)));
    }

    private static SourceOptions<string, string> Strings => new() { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String };

    private static StreamsConfig ExactlyOnce(StreamsConfig config) => config with { ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce };

    private static Dictionary<string, int> Evenly(int records) => Enumerable.Range(0, Keys).ToDictionary(key => $"k{key}", _ => records / Keys);

    // Without a cache every input gives one output, so that each key's outputs are 1, 2, 3 … without gap or repetition.
    private static void AssertCounted(IReadOnlyList<SeenRecord> outputs, Dictionary<string, int> expected)
    {
        var actual = outputs.GroupBy(record => record.Key!).ToDictionary(key => key.Key, key => key.Select(record => record.Value!).ToList());
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, count) in expected) Assert.Equal(Enumerable.Range(1, count).Select(number => number.ToString(CultureInfo.InvariantCulture)), actual[key]);
    }

    private async Task<(string Input, string Output)> NewTopicsAsync() => (await NewTopicAsync("input", Partitions), await NewTopicAsync("output", 2));

    private static Topology Copying(string input, string output)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(input).To(output);
        return builder.Build();
    }

    private static Topology Counting(string input, string output, StoreType storeType, Action<int>? before = null)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(input)
            .Peek((_, value) => before?.Invoke(int.Parse(value, CultureInfo.InvariantCulture)))
            .GroupByKey()
            .Count(Materialized.As("counts").WithStoreType(storeType).WithCachingDisabled())
            .ToStream()
            .MapValues(count => count.ToString(CultureInfo.InvariantCulture))
            .To(output);
        return builder.Build();
    }

    private sealed class Stamp : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record) => Forward(record.WithHeaders(record.Headers.Add("stamp", "was here")));
    }
}
