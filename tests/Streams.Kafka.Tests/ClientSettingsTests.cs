using Streams.Core;
using Streams.Kafka.Consuming;
using Streams.Kafka.Producing;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests;

/// <summary>Settings of the managed clients.</summary>
public sealed class ClientSettingsTests
{
    private static readonly Dictionary<string, string> _none = [];
    private static readonly ConsumerOptions _consumer = new() { ClientId = "c" };
    private static readonly ProducerOptions _producer = new() { ClientId = "p" };

    public static TheoryData<string> FetchNames => [.. FetchSettings.Names];

    public static TheoryData<string> ProducerNames => [.. ManagedProducerSettings.Names];

    /// <summary>The list that the other kind of client goes by is complete and has nothing too much.</summary>
    [Theory]
    [MemberData(nameof(FetchNames))]
    public void Consumer_takes_each_of_its_names(string name) => AssertTaken(name, settings => FetchSettings.From(settings, _consumer));

    /// <inheritdoc cref="Consumer_takes_each_of_its_names"/>
    [Theory]
    [MemberData(nameof(ProducerNames))]
    public async Task Producer_takes_each_of_its_names(string name)
    {
        await using var broker = new ScriptedBroker(static (_, _, _) => null);
        var wire = broker.Settings;
        AssertTaken(name, settings => ManagedProducerSettings.Take(_producer, wire, settings));
    }

    [Fact]
    public async Task What_all_clients_are_given_may_be_for_one_kind_of_them()
    {
        await using var broker = new ScriptedBroker(static (_, _, _) => null);
        var cluster = new Dictionary<string, string> { ["batch.size"] = "1000", ["fetch.min.bytes"] = "5" };
        Assert.Equal(5, FetchSettings.From(new ClientSettings("c", cluster, _none), _consumer).MinBytes);
        Assert.Equal(1000, ManagedProducerSettings.Take(_producer, broker.Settings, new ClientSettings("p", cluster, _none)).BatchBytes);
    }

    [Fact]
    public void What_one_client_is_given_must_be_for_its_kind()
    {
        var failure = Assert.Throws<ConfigException>(() => FetchSettings.From(new ClientSettings("c", _none, new Dictionary<string, string> { ["batch.size"] = "1000" }), _consumer));
        Assert.Contains("no setting batch.size", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_client_has_is_refused_for_all()
    {
        var failure = Assert.Throws<ConfigException>(() => FetchSettings.From(new ClientSettings("c", new Dictionary<string, string> { ["queued.min.messages"] = "1" }, _none), _consumer));
        Assert.Contains("no setting queued.min.messages", failure.Message, StringComparison.Ordinal);
    }

    // The value is none that any of them has, so that most refuse it; what none of them may say is that it has no such setting.
    private static void AssertTaken(string name, Action<ClientSettings> read)
    {
        var failure = Record.Exception(() => read(new ClientSettings("test", _none, new Dictionary<string, string> { [name] = "§" })));
        if (failure is null) return;
        Assert.IsType<ConfigException>(failure);
        Assert.DoesNotContain("has no setting", failure.Message, StringComparison.Ordinal);
    }
}
