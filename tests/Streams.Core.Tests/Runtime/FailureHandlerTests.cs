using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public class FailureHandlerTests
{
    [Fact]
    public void Ready_made_handler_writes_the_record_as_it_was_read_to_the_dead_letter_topic()
    {
        using var harness = new TaskHarness(
            Reading(Options.Numbers), errors: new ErrorPolicy { Deserialization = ErrorHandlers.LogAndContinue, DeadLetterTopic = "dead" });

        harness.Process("in", new Raw("k", "1", 1), new Raw("x", "bad", 2), new Raw("k", "3", 3));

        Assert.Equal(["dead-0:x=bad@2"], harness.Producer.Written);
        Assert.Equal(3, Assert.Single(harness.Task.PrepareCommit()).Offset);
    }

    /// <summary>KIP-1034: the default handlers write the dead letter, and fail nevertheless.</summary>
    [Fact]
    public void Default_handler_writes_the_dead_letter_and_fails()
    {
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy { DeadLetterTopic = "dead" });

        Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 7)));

        Assert.Equal(["dead-0:k=v@7"], harness.Producer.Written);
    }

    [Fact]
    public void Handler_of_the_users_names_topics_and_contents_itself()
    {
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy
        {
            Processing = (context, failure) => ErrorResponse.Continue.With(
                context.ToDeadLetter("first", failure),
                new DeadLetterRecord("second", null, "text"u8.ToArray(), 5, Headers.Empty)),
        });

        harness.Process("in", new Raw(null, null, 7));

        Assert.Equal(["first-0:null=null@7", "second-0:null=text@5"], harness.Producer.Written);
    }

    [Fact]
    public void Dead_letter_carries_the_records_own_headers_and_what_went_wrong()
    {
        var context = new ErrorHandlerContext("node", new TaskId(0, 1), new RecordMetadata("in", 1, 42), 7, Headers.Empty.Add("own", "1"), "k"u8.ToArray(), "v"u8.ToArray());

        var dead = context.ToDeadLetter("dead", new FormatException("no good"));

        Assert.Equal(
            ["own=1", "__streams.errors.exception=System.FormatException", "__streams.errors.message=no good", "__streams.errors.topic=in", "__streams.errors.partition=1", "__streams.errors.offset=42"],
            dead.Headers.Where(header => header.Key != DeadLetterRecord.StackTraceHeader).Select(header => $"{header.Key}={header.ValueAsString()}"));
        Assert.True(dead.Headers.TryGetLast(DeadLetterRecord.StackTraceHeader, out var trace));
        Assert.Contains("no good", trace.ValueAsString(), StringComparison.Ordinal);
        Assert.Equal(7, dead.Timestamp);
    }

    [Fact]
    public void Stack_trace_in_a_dead_letter_is_bounded()
    {
        var context = new ErrorHandlerContext("node", default, null, -1, Headers.Empty, null, null);

        var dead = context.ToDeadLetter("dead", new FormatException(new string('x', 1 << 20)));

        Assert.True(dead.Headers.TryGetLast(DeadLetterRecord.StackTraceHeader, out var trace));
        Assert.Equal(16 << 10, trace.Value!.Value.Length);
        Assert.Equal(OutgoingRecord.TimeOfWriting, dead.Timestamp);
    }

    [Fact]
    public void Missing_dead_letter_topic_is_an_error_that_names_it()
    {
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy { Processing = ErrorHandlers.LogAndContinue, DeadLetterTopic = "missing" });

        var failure = Assert.Throws<ProductionException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Contains("dead-letter topic 'missing'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Handler_that_throws_is_not_asked_again_by_the_operators_further_up()
    {
        var asked = 0;
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy
        {
            Processing = (_, _) =>
            {
                asked++;
                throw new InvalidOperationException("the handler itself");
            },
        });

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Equal(1, asked);
        Assert.Equal("the handler itself", failure.InnerException!.Message);
    }

    [Fact]
    public void Handler_that_returns_nothing_is_told_so()
    {
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy { Processing = (_, _) => null! });

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Contains("returned null", failure.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retry_of_a_processing_handler_is_taken_as_fail()
    {
        using var harness = new TaskHarness(Failing(), errors: new ErrorPolicy { Processing = (_, _) => ErrorResponse.Retry });

        Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));
    }

    [Theory]
    [InlineData(ErrorDecision.Continue)]
    [InlineData(ErrorDecision.Fail)]
    [InlineData(ErrorDecision.Retry)]
    public void Record_that_the_producer_refuses_is_the_production_handlers_to_judge(ErrorDecision decision)
    {
        var told = new List<string>();
        using var harness = new TaskHarness(Copying(), producer: new FakeProducer { RefusedValue = "too large" }, errors: new ErrorPolicy
        {
            Production = (context, topic, failure) =>
            {
                told.Add($"{context.NodeName} {topic} {context.Record?.Offset} {failure.Message}");
                return decision switch
                {
                    ErrorDecision.Continue => ErrorResponse.Continue,
                    ErrorDecision.Retry => ErrorResponse.Retry,
                    _ => ErrorResponse.Fail,
                };
            },
        });
        harness.Enqueue("in", new Raw("k", "a", 1), new Raw("k", "too large", 2), new Raw("k", "c", 3));

        if (decision == ErrorDecision.Continue) Assert.Equal(3, harness.Task.Process(10));
        else if (decision == ErrorDecision.Retry) Assert.Throws<TaskCorruptedException>(() => harness.Task.Process(10));
        else Assert.Throws<ProductionException>(() => harness.Task.Process(10));

        Assert.Equal(["sink out 1 refused for the test"], told);
        Assert.Equal(decision == ErrorDecision.Continue ? ["out-0:k=a@1", "out-0:k=c@3"] : ["out-0:k=a@1"], harness.Producer.Written);
    }

    [Fact]
    public void Transaction_opens_with_the_first_record_only()
    {
        var producer = new FakeProducer();
        var collector = new RecordCollector(producer, isTransactional: true);
        var topic = producer.GetTopic("out");
        Assert.Equal(0, producer.Begun);

        collector.Send(topic, 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));
        collector.Send(topic, 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));

        Assert.Equal(1, producer.Begun);
        Assert.True(collector.IsTransactionOpen);
    }

    private static Topology Failing() => new Topology()
        .AddSource("source", Options.Texts, "in")
        .AddProcessor<string, string>("fails", () => new Sink<string, string>((_, _) => throw new FormatException("no good")), "source");

    private static Topology Copying() => new Topology()
        .AddSource("source", Options.Texts, "in")
        .AddSink("sink", "out", Options.TextSink, "source");

    private static Topology Reading<V>(SourceOptions<string, V> options) => new Topology()
        .AddSource("source", options, "in")
        .AddProcessor<string, V>("node", () => new Sink<string, V>((_, _) => { }), "source");
}
