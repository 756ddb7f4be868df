namespace Architecture;

/// <summary>
/// The one statement of which product assembly may use which, and which packages it may bring along (docs/adr/0001-own-the-house.md).
/// A new assembly, arrow or package is added here in the same commit as its decision record.
/// </summary>
internal static class Arrows
{
    private const string LoggingAbstractions = "Microsoft.Extensions.Logging.Abstractions";

    public static IReadOnlyDictionary<string, (string[] Projects, string[] Packages)> Allowed { get; } =
        new Dictionary<string, (string[] Projects, string[] Packages)>(StringComparer.Ordinal)
        {
            ["Kafka.Protocol"] = ([], []),
            ["Broker.Lite"] = (["Kafka.Protocol"], [LoggingAbstractions]),
            ["Streams.Core"] = ([], [LoggingAbstractions]),
            ["Streams.State"] = (["Streams.Core"], [LoggingAbstractions]),
            ["Streams.Dsl"] = (["Streams.Core", "Streams.State"], [LoggingAbstractions]),
            // No public types: what the two adapters below share (docs/adr/0062-managed-clients.md).
            ["Streams.Protocol"] = (["Streams.Core", "Kafka.Protocol"], [LoggingAbstractions]),
            ["Streams.Kafka"] = (["Streams.Core", "Kafka.Protocol", "Streams.Protocol"], ["Confluent.Kafka", LoggingAbstractions]),
            ["Streams.Embedded"] = (["Streams.Core", "Broker.Lite", "Streams.Protocol"], [LoggingAbstractions]),
            ["Streams.Hosting"] = (["Streams.Core", "Streams.Dsl"],
            [
                "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Hosting.Abstractions", "Microsoft.Extensions.Configuration.Abstractions",
                "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions", LoggingAbstractions,
            ]),
            // ASP.NET Core comes as a framework, not as packages (docs/adr/0053-queries-over-http.md).
            ["Streams.Hosting.AspNetCore"] = (["Streams.Core"], []),
            ["Streams.SchemaRegistry"] = (["Streams.Core"], []),
            ["Streams.SchemaRegistry.Avro"] = (["Streams.Core", "Streams.SchemaRegistry"], []),
            ["Streams.SchemaRegistry.Protobuf"] = (["Streams.Core", "Streams.SchemaRegistry"], ["Google.Protobuf"]),
            ["Streams.Client"] = (["Streams.Core", "Kafka.Protocol"], []),
            // System.Reactive for schedulers (docs/adr/0051-reactive.md).
            ["Streams.Reactive"] = (["Streams.Core", "Streams.Dsl", "Streams.Client"], ["System.Reactive", LoggingAbstractions]),
            ["Streams.Analyzers"] = ([], ["Microsoft.CodeAnalysis.CSharp", "Microsoft.CodeAnalysis"]),
            ["Streams.Analyzers.CodeFixes"] = (["Streams.Analyzers"], ["Microsoft.CodeAnalysis.CSharp.Workspaces", "Microsoft.CodeAnalysis.Workspaces", "System.Composition.AttributedModel"]),
            ["Broker.Lite.Tool"] = (["Broker.Lite"], []),
            ["Streams.Tool"] = (["Streams.Core", "Streams.State", "Streams.Kafka"], [LoggingAbstractions]),
            ["Streams.Testing"] = (["Streams.Core", "Streams.State", "Streams.Dsl"], [LoggingAbstractions]),
        };

    /// <summary>The products that bring a framework along besides the base library, and which.</summary>
    public static IReadOnlyDictionary<string, string> Frameworks { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Streams.Hosting.AspNetCore"] = "Microsoft.AspNetCore.App",
    };

    /// <summary>
    /// What <paramref name="product"/> may use directly or through what it uses: an assembly that names a type found in another one's public
    /// surface gets a metadata reference to where that type lives, without any arrow of its own.
    /// </summary>
    public static HashSet<string> Reachable(string product)
    {
        var reachable = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([product]);
        while (open.TryPop(out var next))
        {
            foreach (var target in Allowed[next].Projects)
            {
                if (reachable.Add(target))
                    open.Push(target);
            }
        }

        return reachable;
    }
}
