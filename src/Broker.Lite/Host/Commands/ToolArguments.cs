using System.Globalization;
using Broker.Lite.Host.Client;

namespace Broker.Lite.Host.Commands;

/// <summary>
/// The options of a tool command, <c>--name value</c> or <c>--name</c>, checked against those the command has. Options of every command
/// say how to reach the cluster.
/// </summary>
internal sealed class ToolArguments
{
    /// <summary>Said in every command's help.</summary>
    public const string CommonHelp = """
          --bootstrap-server HOST:PORT[,...]   brokers to ask (default localhost:9092)
          --command-config FILE                client settings in a properties file (security.protocol, sasl.*, ssl.*)
          --client-set KEY=VALUE               one client setting; may be repeated
        """;

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    /// <summary>Reads arguments.</summary>
    /// <param name="args">What follows the command's name.</param>
    /// <param name="withValue">Names of options that have a value.</param>
    /// <param name="flags">Names of options that have none.</param>
    /// <exception cref="ToolException">An option is unknown or has no value.</exception>
    public ToolArguments(IReadOnlyList<string> args, string[] withValue, string[] flags)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            if (flags.Contains(name))
            {
                _values.TryAdd(name, []);
            }
            else if (withValue.Contains(name) || name is "--bootstrap-server" or "--command-config" or "--client-set")
            {
                if (++i == args.Count)
                    throw new ToolException($"{name} needs a value");
                if (!_values.TryGetValue(name, out var list))
                    _values[name] = list = [];
                list.Add(args[i]);
            }
            else
            {
                throw new ToolException($"Unknown option {name}; --help tells which there are");
            }
        }
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public string? Text(string name) => _values.TryGetValue(name, out var list) ? list[^1] : null;

    public IReadOnlyList<string> Texts(string name) => _values.TryGetValue(name, out var list) ? list : [];

    /// <exception cref="ToolException">It is missing.</exception>
    public string Required(string name) => Text(name) ?? throw new ToolException($"{name} is missing");

    /// <exception cref="ToolException">It is no number of that range.</exception>
    public long Number(string name, long otherwise, long min = 0, long max = long.MaxValue)
    {
        if (Text(name) is not { } text)
            return otherwise;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ToolException($"{name} must be a number from {min} to {max}, not '{text}'");
    }

    /// <summary>Values of the form key=value.</summary>
    /// <exception cref="ToolException">One is not.</exception>
    public Dictionary<string, string> Pairs(string name)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in Texts(name))
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw new ToolException($"{name} needs KEY=VALUE, not '{text}'");
            pairs[text[..equals]] = text[(equals + 1)..];
        }

        return pairs;
    }

    /// <summary>How to reach the cluster.</summary>
    /// <exception cref="ToolException">The settings are wrong.</exception>
    public ClientSettings ClientSettings()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            if (Text("--command-config") is { } path)
                settings = ServerProperties.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ToolException($"--command-config: {e.Message}", e);
        }

        foreach (var (key, value) in Pairs("--client-set"))
            settings[key] = value;
        if (Text("--bootstrap-server") is { } servers)
            settings["bootstrap.servers"] = servers;
        return new ClientSettings(settings);
    }
}
