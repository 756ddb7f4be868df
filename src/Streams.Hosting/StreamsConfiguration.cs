using Microsoft.Extensions.Configuration;
using Streams.Core;

namespace Streams.Hosting;

/// <summary>Reads <see cref="StreamsConfig"/> from configuration: files, environment variables, the command line.</summary>
/// <remarks>
/// Names and values are those of <see cref="StreamsConfig.From"/>; in names a colon and a dot mean the same, so <c>consumer.fetch.min.bytes</c> may also be
/// <c>fetch.min.bytes</c> in a section <c>Consumer</c>. Not here, because they are code: handlers of one's own, the cluster, clocks and loggers.
/// </remarks>
public static class StreamsConfiguration
{
    /// <summary>
    /// The settings with what a configuration section says in place of theirs. What is unknown or cannot be read is reported by
    /// <see cref="StreamsConfig.Validate"/>, and so when the application is made.
    /// </summary>
    /// <param name="config">What holds where the section says nothing.</param>
    /// <param name="section">The section.</param>
    public static StreamsConfig With(this StreamsConfig config, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(section);

        // Sections have no value of their own. In order, so that faults are.
        return config.With(section.AsEnumerable(makePathsRelative: true)
            .Where(entry => entry.Key.Length > 0 && entry.Value is not null)
            .OrderBy(entry => entry.Key, StringComparer.OrdinalIgnoreCase)
            .Select(entry => KeyValuePair.Create(entry.Key.Replace(':', '.'), entry.Value)));
    }
}
