using System.Globalization;
using Conformance;
using Xunit;

namespace RandomTopologies;

/// <summary>
/// Checks a property on many random cases. A failure is made smaller by leaving input out as long as it remains, and told with its seed. The
/// environment variables <c>RANDOM_TOPOLOGIES_SEED</c> (first seed, default 1) and
/// <c>RANDOM_TOPOLOGIES_COUNT</c> (cases per property) choose others.
/// </summary>
internal static class Property
{
    /// <summary>Holds when <paramref name="firstDifference"/> gives <c>null</c> for every case.</summary>
    public static void Holds(int defaultCount, Allowed allowed, Func<RandomCase, string?> firstDifference)
    {
        var (first, count) = (Setting("RANDOM_TOPOLOGIES_SEED", 1), Setting("RANDOM_TOPOLOGIES_COUNT", defaultCount));
        for (var seed = first; seed < first + count; seed++)
        {
            var random = RandomCase.Generate(seed, allowed);
            if (Difference(random, firstDifference) is not { } difference) continue;
            (random, difference) = Smaller(random, difference, firstDifference);
            Assert.Fail($"RANDOM_TOPOLOGIES_SEED={seed} RANDOM_TOPOLOGIES_COUNT=1\n{difference}\n{random}");
        }
    }

    private static (RandomCase Case, string Difference) Smaller(RandomCase random, string difference, Func<RandomCase, string?> firstDifference)
    {
        // From the back, in pieces that get shorter: a failure shows at its last event at the latest.
        for (var length = random.Input.Count / 2; length > 0; length /= 2)
        {
            for (var from = random.Input.Count - length; from >= 0; from -= length)
            {
                var (start, end) = (from, from + length);
                var without = random.With([.. random.Input.Where((_, index) => index < start || index >= end)]);
                if (Difference(without, firstDifference) is { } smaller) (random, difference) = (without, smaller);
            }
        }

        return (random, difference);
    }

    // Any failure is a difference: what a topology may contain and be fed with never fails in Kafka Streams.
    private static string? Difference(RandomCase random, Func<RandomCase, string?> firstDifference)
    {
        try
        {
            return firstDifference(random);
        }
        catch (Exception failure) when (failure is not (CaseFormatException or OutOfMemoryException))
        {
            return failure.ToString();
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
