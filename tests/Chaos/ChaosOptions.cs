using System.Globalization;
using System.Security.Cryptography;

namespace Chaos;

/// <summary>What a run does.</summary>
internal sealed record ChaosOptions
{
    /// <summary>How long records come and faults happen.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Input records in all: half of them clicks, half of them views.</summary>
    public int Records { get; init; } = 1_000_000;

    public int Seed { get; init; } = RandomNumberGenerator.GetInt32(int.MaxValue);

    public bool IsExactlyOnce { get; init; } = true;

    public int Instances { get; init; } = 3;

    /// <summary>Standby replicas of every task with state: none, or one, by the seed.</summary>
    public int Standbys => Seed % 2;

    /// <summary>A running cluster to use instead of a broker of the run's own, which then has no faults; <c>null</c> for a broker of its own.</summary>
    public string? BootstrapServers { get; init; }

    /// <summary>Whose clients the processes use, <c>client.library</c>; <c>null</c> for a mixture by the seed.</summary>
    public string? Client { get; init; }

    /// <summary>The library of an instance, or of the feeder and the judge (-1).</summary>
    public string ClientOf(int instance) => Client ?? (((Seed >> (instance + 2)) & 1) == 0 ? "managed" : "confluent");

    /// <summary>Whether the folder with data and logs stays.</summary>
    public bool Keep { get; init; }

    public static ChaosOptions? Parse(string[] args, out string fault)
    {
        var options = new ChaosOptions();
        fault = "";
        for (var index = 0; index < args.Length; index++)
        {
            var name = args[index];
            if (name == "--keep")
            {
                options = options with { Keep = true };
                continue;
            }

            var value = ++index < args.Length ? args[index] : "";
            if (name == "--guarantee" && value is "exactly-once" or "at-least-once")
            {
                options = options with { IsExactlyOnce = value == "exactly-once" };
                continue;
            }

            if (name == "--client" && value is "confluent" or "managed")
            {
                options = options with { Client = value };
                continue;
            }

            if (name == "--bootstrap-servers" && value.Length > 0)
            {
                options = options with { BootstrapServers = value };
                continue;
            }

            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                fault = $"{name} '{value}' is not understood.";
                return null;
            }

            switch (name)
            {
                case "--minutes" when number is > 0 and < 10_000:
                    options = options with { Duration = TimeSpan.FromMinutes(number) };
                    break;
                case "--seconds" when number is > 0 and < 600_000:
                    options = options with { Duration = TimeSpan.FromSeconds(number) };
                    break;
                case "--records" when number is > 10_000 and < 500_000_000:
                    options = options with { Records = number };
                    break;
                case "--instances" when number is > 0 and < 20:
                    options = options with { Instances = number };
                    break;
                case "--seed":
                    options = options with { Seed = number };
                    break;
                default:
                    fault = $"{name} {value} is not understood, or out of range.";
                    return null;
            }
        }

        return options;
    }
}
