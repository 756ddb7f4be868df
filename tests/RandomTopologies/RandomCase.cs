using System.Text.Json;
using System.Text.Json.Nodes;
using Conformance;

namespace RandomTopologies;

/// <summary>A random topology with random input, made from a seed alone.</summary>
internal sealed class RandomCase
{
    private static readonly string?[] _keys = ["a", "b", "c", "d", "ab", "a", "b", "c", null];
    private static readonly string?[] _values = ["x", "v", "w1", "a,b", "c,d,e", "", "b:c", "long value", "a", "b", null];

    private readonly JsonArray _steps;

    private RandomCase(int seed, JsonArray steps, bool optimize, IReadOnlyList<CaseEvent> input)
    {
        Seed = seed;
        _steps = steps;
        Optimize = optimize;
        Input = input;
    }

    public int Seed { get; }

    public bool Optimize { get; }

    public IReadOnlyList<CaseEvent> Input { get; }

    public static RandomCase Generate(int seed, Allowed allowed)
    {
        var random = new Random(seed);
        var (steps, topics) = TopologyGenerator.Generate(random, allowed);
        return new RandomCase(seed, steps, random.Next(3) == 0, Events(random, topics, allowed));
    }

    /// <summary>The same with other input.</summary>
    public RandomCase With(IReadOnlyList<CaseEvent> input) => new(Seed, _steps, Optimize, input);

    /// <summary>The topology as a recorded case, which the interpreter of those builds.</summary>
    public Case ToCase() => new()
    {
        Name = $"random-{Seed}",
        Group = "random",
        Optimize = Optimize,
        CacheMaxBytes = 0,
        StartWallClockMs = 0,
        Topology = JsonSerializer.SerializeToElement(_steps).EnumerateArray().ToList(),
        Input = Input,
        Expected = new Expectation { Error = null, Describe = "", Steps = [], Stores = new Dictionary<string, IReadOnlyList<string>>(), DroppedRecords = 0 },
    };

    public override string ToString() =>
        $"topology (optimize: {Optimize}):\n  {string.Join("\n  ", _steps.Select(step => step!.ToJsonString()))}\ninput:\n  {string.Join("\n  ", Input)}";

    private static List<CaseEvent> Events(Random random, IReadOnlyList<string> topics, Allowed allowed)
    {
        var events = new List<CaseEvent>();
        var (time, count) = (1000L, random.Next(10, 50));
        for (var index = 0; index < count; index++)
        {
            if (allowed.WallClock && random.Next(15) == 0)
            {
                events.Add(new CaseEvent(null, null, null, 0, Streams.Core.Headers.Empty, random.Next(1, 30)));
                continue;
            }

            // Mostly forward, sometimes far; a late record is up to 40 ms behind.
            time += random.Next(8) == 0 ? random.Next(60) : random.Next(5);
            var timestamp = allowed.LateRecords && random.Next(4) == 0 ? time - random.Next(40) : time;
            var headers = random.Next(6) == 0 ? Streams.Core.Headers.Empty.Add("h", index.ToString(System.Globalization.CultureInfo.InvariantCulture)) : Streams.Core.Headers.Empty;
            events.Add(new CaseEvent(
                topics[random.Next(topics.Count)], _keys[random.Next(_keys.Length)], _values[random.Next(_values.Length)], timestamp, headers, 0));
        }

        return events;
    }
}
