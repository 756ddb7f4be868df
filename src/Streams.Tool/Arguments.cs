namespace Streams.Tool;

/// <summary>Options of a command: <c>--name value</c>, <c>--name=value</c>, or a bare <c>--switch</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];

    private Arguments()
    {
    }

    /// <summary>Reads options.</summary>
    /// <exception cref="UsageException">An option is not among those named, is there twice, or lacks its value.</exception>
    public static Arguments Parse(ReadOnlySpan<string> args, string[] options, string[] switches)
    {
        var result = new Arguments();
        for (var index = 0; index < args.Length; index++)
        {
            var text = args[index];
            if (!text.StartsWith("--", StringComparison.Ordinal)) throw new UsageException($"'{text}' is not an option; options begin with --.");
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? text[2..] : text[2..equals];
            string value;
            if (switches.Contains(name) && equals < 0) value = "";
            else if (!options.Contains(name)) throw new UsageException($"There is no option --{name} here; there are {string.Join(", ", options.Concat(switches).Select(option => "--" + option))}.");
            else if (equals >= 0) value = text[(equals + 1)..];
            else if (index + 1 < args.Length) value = args[++index];
            else throw new UsageException($"--{name} needs a value.");
            if (!result._values.TryAdd(name, value)) throw new UsageException($"--{name} is there twice.");
        }

        return result;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public string? Optional(string name) => _values.GetValueOrDefault(name);

    public string Required(string name) => _values.TryGetValue(name, out var value) && value.Length > 0 ? value : throw new UsageException($"--{name} is missing.");
}
