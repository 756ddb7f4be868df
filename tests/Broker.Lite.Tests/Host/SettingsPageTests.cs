using System.Text;
using Broker.Lite.Host;
using Broker.Lite.Metadata;

namespace Broker.Lite.Tests.Host;

/// <summary>The guide's page of settings is made of the tables that the broker reads its settings by: it can neither lack one nor name a wrong default.</summary>
public sealed class SettingsPageTests
{
    /// <summary>Set to 1 to write the page instead of comparing it.</summary>
    private const string Accept = "ACCEPT_BROKER_SETTINGS";

    [Fact]
    public void Page_of_the_guide_names_every_setting_with_its_default()
    {
        var path = Path.Combine(Root(), "docs", "guide", "broker-settings.md");
        if (Environment.GetEnvironmentVariable(Accept) == "1")
            File.WriteAllText(path, Page());
        Assert.True(Page() == File.ReadAllText(path).ReplaceLineEndings("\n"), $"{path} is not what the settings are; {Accept}=1 writes it anew");
    }

    private static string Page()
    {
        var page = new StringBuilder();
        page.Append("""
            # Broker settings

            Made from the tables that the broker checks settings by (`SettingsPageTests`). Names are Kafka's. A name that is on none of these lists ends the start with an error
            that names it. *live* settings can be altered while the broker runs (`broker configs alter`, or any Kafka client); the others by a restart.

            ## The broker


            """.ReplaceLineEndings("\n"));
        Table(page, BrokerConfigKeys.All.Values.Where(key => !IsTopicDefault(key.Name)), key => key.ReadOnly ? "" : "live");
        page.Append("\nFor one listener only: `listener.name.NAME.` before the name of a setting of TLS, SASL or connections; for one mechanism: `listener.name.NAME.MECHANISM.`.\n");
        page.Append("\n## Topics\nAll are *live*. The broker's setting in the last column is the default of topics that do not say.\n\n");
        Table(page, TopicConfigKeys.All.Values, key => key.BrokerKey is null ? "" : $"`{key.BrokerKey}`");
        page.Append("\n## Groups with the consumer protocol\nAll are *live*.\n\n");
        Table(page, GroupConfigKeys.All.Values, key => $"`{key.BrokerKey}`");
        page.Append("\n## In coarser units\nTaken by `broker run` where the setting in milliseconds is not given:\n\n| Name | Stands for |\n|---|---|\n");
        foreach (var (name, milliseconds, unit) in ProcessSettings.Coarser)
            page.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{name}` | `{milliseconds}` / {unit:N0} |\n");
        page.Append("\n`node.id` is `broker.id`, and `log.dirs` or `log.dir` the data folder (`--data`).\n");
        page.Append("\n## Without effect\nSettings of clusters and of Java processes. `broker run` takes them, so that a file written for Kafka can stay as it is, and names them in the log:\n\n");
        page.Append(string.Join(", ", ProcessSettings.WithoutEffect.Order(StringComparer.Ordinal).Select(name => $"`{name}`"))).Append(".\n");
        return page.ToString();
    }

    private static bool IsTopicDefault(string name) => TopicConfigKeys.All.Values.Any(key => key.BrokerKey == name);

    private static void Table(StringBuilder page, IEnumerable<ConfigKey> keys, Func<ConfigKey, string> last)
    {
        page.Append("| Name | Default | What it does | |\n|---|---|---|---|\n");
        foreach (var key in keys.OrderBy(key => key.Name, StringComparer.Ordinal))
        {
            var value = key.Type == ConfigType.Password ? "(none; never shown)" : key.Default.Length == 0 ? "(empty)" : $"`{key.Default}`";
            page.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{key.Name}` | {value} | {key.Doc.Replace("|", "\\|", StringComparison.Ordinal)} | {last(key)} |\n");
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Streams.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }
}
