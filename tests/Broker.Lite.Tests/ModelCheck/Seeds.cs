using System.Globalization;

namespace Broker.Lite.Tests.ModelCheck;

/// <summary>
/// Which random histories a model check runs: <c>MODEL_SEEDS</c> many from <c>MODEL_SEED</c> on. Without the first a number that takes
/// seconds, without the second the same ones each time.
/// </summary>
internal static class Seeds
{
    public static async Task ForEachAsync(int count, Func<int, Task> run)
    {
        count = Setting("MODEL_SEEDS", count);
        var first = Setting("MODEL_SEED", 1);
        for (var seed = first; seed < first + count; seed++)
        {
            try
            {
                await run(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"MODEL_SEED={seed} MODEL_SEEDS=1 shows it: {e.Message}", e);
            }
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
