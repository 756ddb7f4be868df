using System.Globalization;
using Streams.Core;
using Streams.Dsl;

namespace Chaos;

/// <summary>An application that calls something slow for each record: numbers in, the same numbers out, in order per key.</summary>
internal static class AsyncApplication
{
    public const string Input = "numbers";
    public const string Output = "called";
    public const int Concurrency = 256;

    public static Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(Input)
            .MapValuesAsync(
                static async (_, value, cancellationToken) =>
                {
                    // 10 ms on average, and never the same twice running: an order that is kept by luck shows.
                    await Task.Delay(5 + (int.Parse(value, CultureInfo.InvariantCulture) * 7 % 11), cancellationToken).ConfigureAwait(false);
                    return value;
                },
                new AsyncOptions { MaxConcurrency = Concurrency, Order = AsyncOrder.Key })
            .To(Output);
        return builder.Build();
    }
}
