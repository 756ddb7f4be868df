using System.Collections;
using Broker.Lite.Host;
using Broker.Lite.Metadata;

namespace Broker.Lite.Tests.Host;

public sealed class ServerPropertiesTests
{
    [Fact]
    public void Properties_are_read_as_java_reads_them()
    {
        var settings = ServerProperties.Parse("# comment\n! too\r\n a = 1 \r\nb:2\nc 3\nd=x\\\n   y\\\\\ne\\=f=\\u0041\\t|\nempty\na=last");
        Assert.Equal("last", settings["a"]);
        Assert.Equal("2", settings["b"]);
        Assert.Equal("3", settings["c"]);
        Assert.Equal("xy\\", settings["d"]);
        Assert.Equal("A\t|", settings["e=f"]);
        Assert.Equal("", settings["empty"]);
    }

    [Fact]
    public void Anything_is_read_or_refused_and_nothing_else_happens()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        const string Alphabet = "ab=: \\\n\r\tu0#!";
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Create(random.Next(40), random, static (span, source) =>
            {
                foreach (ref var c in span)
                    c = Alphabet[source.Next(Alphabet.Length)];
            });
            try
            {
                ServerProperties.Parse(text);
            }
            catch (FormatException)
            {
                Assert.Contains("\\u", text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Settings_come_from_file_environment_and_command_line_and_the_later_wins()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "num.partitions=2\nlog.retention.ms=5\nauto.create.topics.enable=false\nnode.id=7\nlog.dirs=/data/kafka\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\nnum.io.threads=8\n");
            var environment = new Hashtable { ["KAFKA_NUM_PARTITIONS"] = "3", ["KAFKA_LOG_RETENTION_MS"] = "6", ["KAFKA_HEAP_OPTS"] = "-Xmx1g", ["OTHER"] = "x" };
            var command = CommandLine.Parse(["--config", file, "--override", "num.partitions=4"], environment);
            Assert.Empty(command.Faults);
            Assert.Equal("4", command.Options.Settings["num.partitions"]);
            Assert.Equal("6", command.Options.Settings["log.retention.ms"]);
            Assert.Equal("false", command.Options.Settings["auto.create.topics.enable"]);
            Assert.Equal("7", command.Options.Settings[BrokerConfigKeys.BrokerId]);
            Assert.Equal("PLAINTEXT://:9092", command.Options.Settings["listeners"]);
            Assert.Equal("/data/kafka", command.Options.DataDirectory);
            Assert.Null(command.Options.Port);
            Assert.Equal(["controller.listener.names", "num.io.threads", "process.roles"], command.WithoutEffect);
            command.Options.Validate();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Coarser_settings_count_where_the_finer_ones_are_not_given()
    {
        var settings = Read("log.retention.hours=168", "log.roll.hours=2");
        Assert.Equal(("604800000", "7200000"), (settings["log.retention.ms"], settings["log.roll.ms"]));
        Assert.Equal("300000", Read("log.retention.hours=168", "log.retention.minutes=5")["log.retention.ms"]);
        Assert.Equal("7", Read("log.retention.hours=168", "log.retention.minutes=5", "log.retention.ms=7")["log.retention.ms"]);
        Assert.Equal("-1", Read("log.retention.hours=-1")["log.retention.ms"]);
        Assert.Equal("7730941129200000", Read("log.retention.hours=2147483647")["log.retention.ms"]);
        var fault = Assert.Throws<ArgumentException>(CommandLine.Parse(["--set", "log.retention.hours=a week"]).Options.Validate);
        Assert.Contains("log.retention.hours", fault.Message, StringComparison.Ordinal);

        static IReadOnlyDictionary<string, string> Read(params string[] settings)
        {
            var options = CommandLine.Parse([.. settings.SelectMany(setting => (string[])["--set", setting])]).Options;
            options.Validate();
            return options.Settings;
        }
    }

    [Fact]
    public void Unknown_settings_are_reported_all_together()
    {
        var command = CommandLine.Parse(["--set", "nonsense.one=1", "--set", "nonsense.two=2"], new Hashtable { ["KAFKA_NONSENSE_THREE"] = "3" });
        var fault = Assert.Throws<ArgumentException>(command.Options.Validate);
        foreach (var name in new[] { "nonsense.one", "nonsense.two", "nonsense.three" })
            Assert.Contains(name, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_user_is_refused_without_repeating_its_password()
    {
        var command = CommandLine.Parse(["--add-scram", "SCRAM-SHA-1=[name=a,password=hunter2]"]);
        Assert.DoesNotContain("hunter2", Assert.Single(command.Faults), StringComparison.Ordinal);
        Assert.Equal("alice", Assert.Single(CommandLine.Parse(["--add-scram", "SCRAM-SHA-256=[name=alice,password=p]"]).Users).Name);
    }
}
