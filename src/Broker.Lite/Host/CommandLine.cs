using System.Collections;
using System.Globalization;
using System.Net;
using Broker.Lite.Security;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>The arguments of the broker process, with everything that is wrong with them.</summary>
internal sealed record CommandLine
{
    private const int DefaultPort = 9092;

    public const string Usage = """
        Usage: broker run [options]
          --port N               TCP port; 0 picks a free one (default 9092)
          --host ADDRESS         IP address to listen on (default 127.0.0.1; 0.0.0.0 for all)
          --advertise HOST:PORT  what clients are told to connect to (default: what they connected to)
          --data FOLDER          where logs and metadata are kept (default ./data)
          --memory               keep everything in memory instead; gone when the process ends
          --config FILE          settings under their Kafka names, as in server.properties
          --set KEY=VALUE        a broker setting under its Kafka name; may be repeated; also --override
          --http [HOST:]PORT     serve /metrics, /health, /ready and /lag there; 0 picks a free port
          --add-scram SPEC       make a user if it is missing: 'SCRAM-SHA-256=[name=alice,password=secret]'; may be repeated
          --log-format FORMAT    text or json, one object a line (default text)
          --log LEVEL            trace, debug, information, warning, error, critical or none (default information)
          --help                 this text
        Settings also come from the environment as KAFKA_LOG_RETENTION_MS=1000 and the like; the command line wins over it, and it over the file.
        """;

    public required BrokerOptions Options { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public bool ShowHelp { get; init; }

    /// <summary>Whether log entries are written as JSON.</summary>
    public bool LogsJson { get; init; }

    /// <summary>Where metrics and health are served; null: nowhere.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>Users to make before the broker listens.</summary>
    public required IReadOnlyList<ScramUser> Users { get; init; }

    /// <summary>Settings of Kafka that were given and have no effect here.</summary>
    public required IReadOnlyList<string> WithoutEffect { get; init; }

    public required IReadOnlyList<string> Faults { get; init; }

    public static CommandLine Parse(IReadOnlyList<string> args, IDictionary? environment = null)
    {
        var faults = new List<string>();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var fromFile = new Dictionary<string, string>(StringComparer.Ordinal);
        var users = new List<ScramUser>();
        IPEndPoint? http = null;
        var json = false;
        var named = new HashSet<string>(StringComparer.Ordinal);
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
                named.Add("--data");
                continue;
            }

            if (name is not ("--port" or "--host" or "--advertise" or "--data" or "--set" or "--override" or "--log" or "--config" or "--http" or "--add-scram" or "--log-format"))
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
            named.Add(name);
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
                case "--config":
                    ReadFile(value, fromFile, faults);
                    break;
                case "--http" when TryParseEndPoint(value, out var endPoint):
                    http = endPoint;
                    break;
                case "--add-scram" when ScramUser.TryParse(value, out var user):
                    users.Add(user);
                    break;
                case "--add-scram":
                    faults.Add("--add-scram needs MECHANISM=[name=NAME,password=PASSWORD]"); // its value holds a password
                    break;
                case "--log-format" when value is "text" or "json":
                    json = value == "json";
                    break;
                case "--set" or "--override" when value.IndexOf('=', StringComparison.Ordinal) is var equals and > 0:
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

        var all = new Dictionary<string, string>(fromFile, StringComparer.Ordinal);
        foreach (var (key, value) in ProcessSettings.OfEnvironment(environment ?? new Hashtable()).Concat(settings))
            all[key] = value;
        var (applied, without) = ProcessSettings.Apply(options, all);
        // What the command line says in its own words wins over settings that mean the same.
        if (named.Contains("--data"))
            applied = applied with { DataDirectory = options.DataDirectory };
        if (named.Contains("--port") && applied.Port is null)
            faults.Add($"--port and the setting {SecurityConfigKeys.Listeners} cannot both be given");
        return new CommandLine
        {
            Options = applied,
            LogLevel = level,
            LogsJson = json,
            ShowHelp = help,
            Http = http,
            Users = users,
            WithoutEffect = without,
            Faults = faults,
        };
    }

    private static void ReadFile(string path, Dictionary<string, string> settings, List<string> faults)
    {
        try
        {
            foreach (var (key, value) in ServerProperties.Parse(File.ReadAllText(path)))
                settings[key] = value;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            faults.Add($"{path}: {e.Message}");
        }
    }

    private static bool TryParseEndPoint(string value, out IPEndPoint endPoint)
    {
        var isPort = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port);
        var host = "127.0.0.1";
        var isFine = (isPort || TryParseHostPort(value, out host, out port)) && port <= IPEndPoint.MaxPort;
        endPoint = new IPEndPoint(IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback, isFine ? port : 0);
        return isFine && address is not null;
    }

    private static bool TryParseHostPort(string value, out string host, out int port)
    {
        var colon = value.LastIndexOf(':');
        host = colon > 0 ? value[..colon].Trim('[', ']') : "";
        port = 0;
        return host.Length > 0 && int.TryParse(value[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port);
    }
}
