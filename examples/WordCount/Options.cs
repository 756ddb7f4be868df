using System.Globalization;

namespace WordCount;

/// <summary>What the command line says.</summary>
internal sealed record Options
{
    public const string Usage = """
        Counts the words of text files with a stream application.

          WordCount [options] [FILE or FOLDER ...]      default: the licence texts of the system, or the text shipped with the example

          --bootstrap-servers HOST:PORT  run on a Kafka-protocol broker instead of the embedded one
          --data FOLDER                  keep the embedded broker's topics and the state here, and go on from there next time
                                         (default: a temporary folder that is deleted at the end)
          --repeat N                     read the texts N times (default 1)
          --partitions N                 partitions of the topics (default 4)
          --threads N                    threads of the application (default 2)
          --top N                        words to print (default 20)
          --commit-ms N                  commit interval in milliseconds (default 500)
          --application-id NAME          default word-count
          --verbose                      print what the application logs
        """;

    public string? BootstrapServers { get; init; }

    public string? Data { get; init; }

    public int Repeat { get; init; } = 1;

    public int Partitions { get; init; } = 4;

    public int Threads { get; init; } = 2;

    public int Top { get; init; } = 20;

    public int CommitMs { get; init; } = 500;

    public string ApplicationId { get; init; } = "word-count";

    public bool Verbose { get; init; }

    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <exception cref="ArgumentException">An option is unknown or its value is not one; the message says which.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options();
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            options = argument switch
            {
                "--bootstrap-servers" => options with { BootstrapServers = Value() },
                "--data" => options with { Data = Value() },
                "--repeat" => options with { Repeat = Number() },
                "--partitions" => options with { Partitions = Number() },
                "--threads" => options with { Threads = Number() },
                "--top" => options with { Top = Number() },
                "--commit-ms" => options with { CommitMs = Number() },
                "--application-id" => options with { ApplicationId = Value() },
                "--verbose" => options with { Verbose = true },
                _ when argument.StartsWith('-') => throw new ArgumentException($"unknown option {argument}"),
                _ => options with { Paths = [.. options.Paths, argument] },
            };

            string Value() => ++index < arguments.Count ? arguments[index] : throw new ArgumentException($"{argument} needs a value");

            int Number() => int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new ArgumentException($"{argument} needs a number of 1 or more, not '{arguments[index]}'");
        }

        return options;
    }
}
