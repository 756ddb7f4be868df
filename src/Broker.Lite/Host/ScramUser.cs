using System.Text.RegularExpressions;
using Broker.Lite.Security.Sasl;

namespace Broker.Lite.Host;

/// <summary>A user to make at the start, in the form of Kafka's storage tool.</summary>
internal sealed record ScramUser(ScramMechanism Mechanism, string Name, string Password, int Iterations)
{
    /// <summary>Reads <c>SCRAM-SHA-256=[name=alice,password=secret,iterations=8192]</c>.</summary>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ScramUser? user)
    {
        user = null;
        var match = Regex.Match(text, @"^(?<mechanism>[A-Z0-9-]+)=\[(?<options>.*)\]$", RegexOptions.CultureInvariant | RegexOptions.Singleline);
        if (!match.Success || !ScramMechanism.TryFind(match.Groups["mechanism"].Value, out var mechanism))
            return false;
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in match.Groups["options"].Value.Split(','))
        {
            var equals = option.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !options.TryAdd(option[..equals], option[(equals + 1)..].Trim('"')))
                return false;
        }

        var iterations = ScramCredential.MinIterations;
        if (!options.TryGetValue("name", out var name)
            || !options.TryGetValue("password", out var password)
            || (options.TryGetValue("iterations", out var count) && !int.TryParse(count, out iterations))
            || name.Length == 0
            || password.Length == 0
            || iterations is < ScramCredential.MinIterations or > ScramCredential.MaxIterations
            || options.Keys.Any(key => key is not ("name" or "password" or "iterations")))
        {
            return false;
        }

        user = new ScramUser(mechanism, name, password, iterations);
        return true;
    }

    /// <summary>Never with the password.</summary>
    public override string ToString() => $"{Name} ({Mechanism.Name})";
}
