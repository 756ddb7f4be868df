using Broker.Lite.Host;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Tests;

public sealed class BrokerOptionsTests
{
    [Fact]
    public void All_faults_are_reported_together()
    {
        var options = new BrokerOptions
        {
            Port = 70_000,
            AdvertisedPort = 0,
            AdvertisedHost = "no host",
            DataDirectory = " ",
            Settings = new Dictionary<string, string> { ["no.such"] = "1", ["num.partitions"] = "none", ["log.dirs"] = "/x" },
        };
        var message = Assert.Throws<ArgumentException>(options.Validate).Message;
        foreach (var part in new[] { "Port", "AdvertisedPort", "AdvertisedHost", "DataDirectory", "no.such", "num.partitions", "log.dirs" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_are_valid() => new BrokerOptions().Validate();

    [Fact]
    public void Command_line_is_read()
    {
        var command = CommandLine.Parse(
            ["--port", "0", "--host", "0.0.0.0", "--advertise", "[::1]:99", "--data", "/d", "--set", "num.partitions=3", "--set", "a=b=c", "--log", "debug"]);
        Assert.Empty(command.Faults);
        Assert.Equal((0, "0.0.0.0", "::1", 99, "/d"), (command.Options.Port, command.Options.Address.ToString(), command.Options.AdvertisedHost, command.Options.AdvertisedPort, command.Options.DataDirectory));
        Assert.Equal(LogLevel.Debug, command.LogLevel);
        Assert.Equal(("3", "b=c"), (command.Options.Settings["num.partitions"], command.Options.Settings["a"]));
        Assert.Null(CommandLine.Parse(["--memory"]).Options.DataDirectory);
        Assert.Equal((9092, "./data"), (CommandLine.Parse([]).Options.Port, CommandLine.Parse([]).Options.DataDirectory));
    }

    [Fact]
    public void Every_wrong_argument_is_named()
    {
        var command = CommandLine.Parse(["--what", "--port", "x", "--host", "y", "--set", "z", "--log", "loud", "--advertise", "q", "--data"]);
        Assert.Equal(7, command.Faults.Count);
    }

    [Fact]
    public async Task Process_refuses_wrong_usage_and_wrong_settings_with_different_codes()
    {
        using var errors = new StringWriter();
        using var output = new StringWriter();
        Assert.Equal(2, await Program.RunAsync(["--what"], output, errors));
        Assert.Equal(1, await Program.RunAsync(["--memory", "--port", "0", "--set", "no.such=1"], output, errors));
        Assert.Contains("no.such", errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await Program.RunAsync(["--help"], output, errors));
        Assert.Contains("--port", output.ToString(), StringComparison.Ordinal);
    }
}
