using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>The arguments of the broker process, with everything that is wrong with them.</summary>
internal sealed record CommandLine
{
    private const int DefaultPort = 9092;

    public const string Usage = """
        Usage: Broker.Lite [options]
          --port N               TCP port; 0 picks a free one (default 9092)
          --host ADDRESS         IP address to listen on (default 127.0.0.1; 0.0.0.0 for all)
          --advertise HOST:PORT  what clients are told to connect to (default: what they connected to)
          --data FOLDER          where logs and metadata are kept (default ./data)
          --memory               keep everything in memory instead; gone when the process ends
          --set KEY=VALUE        a broker setting under its Kafka name; may be repeated
          --log LEVEL            trace, debug, information, warning, error, critical or none (default information)
          --help                 this text
        """;

    public required BrokerOptions Options { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public bool ShowHelp { get; init; }

    public required IReadOnlyList<string> Faults { get; init; }

    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var faults = new List<string>();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var options = new BrokerOptions { Port = DefaultPort, DataDirectory = "./data" };
        var level = LogLevel.Information;
        var help = false;
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            if (name is "--help" or "-h")
            {
                help = true;
                continue;
            }

            if (name == "--memory")
            {
                options = options with { DataDirectory = null };
                continue;
            }

            if (name is not ("--port" or "--host" or "--advertise" or "--data" or "--set" or "--log"))
            {
                faults.Add($"Unknown option {name}");
                continue;
            }

            if (++i == args.Count)
            {
                faults.Add($"{name} needs a value");
                break;
            }

            var value = args[i];
            switch (name)
            {
                case "--port" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port):
                    options = options with { Port = port };
                    break;
                case "--host" when IPAddress.TryParse(value, out var address):
                    options = options with { Address = address };
                    break;
                case "--advertise" when TryParseHostPort(value, out var host, out var advertisedPort):
                    options = options with { AdvertisedHost = host, AdvertisedPort = advertisedPort };
                    break;
                case "--data":
                    options = options with { DataDirectory = value };
                    break;
                case "--set" when value.IndexOf('=', StringComparison.Ordinal) is var equals and > 0:
                    settings[value[..equals]] = value[(equals + 1)..];
                    break;
                case "--log" when Enum.TryParse(value, ignoreCase: true, out LogLevel parsed) && Enum.IsDefined(parsed):
                    level = parsed;
                    break;
                default:
                    faults.Add($"{name} cannot be '{value}'");
                    break;
            }
        }

        return new CommandLine { Options = options with { Settings = settings }, LogLevel = level, ShowHelp = help, Faults = faults };
    }

    private static bool TryParseHostPort(string value, out string host, out int port)
    {
        var colon = value.LastIndexOf(':');
        host = colon > 0 ? value[..colon].Trim('[', ']') : "";
        port = 0;
        return host.Length > 0 && int.TryParse(value[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port);
    }
}
