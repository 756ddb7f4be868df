using Microsoft.Extensions.Configuration;
using Streams.Core;
using Streams.Dsl;

namespace Streams.Hosting;

/// <summary>What the host needs to know to run one application. Filled by the callback of <see cref="KafkaStreamsServiceCollectionExtensions"/>.</summary>
public sealed class KafkaStreamsRegistration
{
    private readonly List<Func<IServiceProvider, StreamsConfig, StreamsConfig>> _configure = [];
    private Func<IServiceProvider, Topology>? _topology;

    internal KafkaStreamsRegistration(string name) => Name = name;

    /// <summary>Name of the application in this host; its <see cref="StreamsConfig.ApplicationId"/> unless a setting says otherwise.</summary>
    public string Name { get; }

    /// <summary>
    /// Whether the host stops when the application fails (default: yes, so that whatever watches the process notices and starts it again). The process then exits with code 1, unless it
    /// has another already or <c>Main</c> returns one of its own.
    /// </summary>
    public bool StopHostOnFailure { get; set; } = true;

    /// <summary>Takes settings from configuration; see <see cref="StreamsConfiguration"/> for the names. Called several times, later ones win.</summary>
    public KafkaStreamsRegistration Configure(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return Configure((_, config) => config.With(section));
    }

    /// <summary>Changes settings in code: <c>config =&gt; config with { … }</c>. Called several times, later ones win.</summary>
    public KafkaStreamsRegistration Configure(Func<StreamsConfig, StreamsConfig> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return Configure((_, config) => configure(config));
    }

    /// <summary>Changes settings in code with services at hand. Called several times, later ones win.</summary>
    public KafkaStreamsRegistration Configure(Func<IServiceProvider, StreamsConfig, StreamsConfig> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _configure.Add(configure);
        return this;
    }

    /// <summary>Writes the topology. Serdes that operators are not given come from the services (<c>ISerde&lt;T&gt;</c>), else from the built-in ones.</summary>
    public KafkaStreamsRegistration Topology(Action<StreamsBuilder> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        return Topology((_, builder) => write(builder));
    }

    /// <summary>
    /// Writes the topology with services at hand. Processors with dependencies: <c>stream.Process(services.ProcessorFactory&lt;MyProcessor&gt;())</c>.
    /// </summary>
    /// <param name="write">Called once, when the application is made.</param>
    /// <param name="options">Choices that shape the whole topology; <c>null</c> for the defaults with serdes from the services.</param>
    public KafkaStreamsRegistration Topology(Action<IServiceProvider, StreamsBuilder> write, StreamsBuilderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(write);
        return Topology(services =>
        {
            var builder = new StreamsBuilder(options ?? new StreamsBuilderOptions { Serdes = new SerdeRegistry(services) });
            write(services, builder);
            return builder.Build();
        });
    }

    /// <summary>Takes a topology that was written elsewhere, or by hand.</summary>
    public KafkaStreamsRegistration Topology(Func<IServiceProvider, Topology> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        if (_topology is not null) throw new InvalidOperationException($"Application '{Name}' has a topology already.");
        _topology = build;
        return this;
    }

    internal KafkaStreams Create(IServiceProvider services, StreamsConfig defaults)
    {
        var topology = _topology ?? throw new ConfigException($"Application '{Name}' has no topology; call Topology in AddKafkaStreams.");
        var config = _configure.Aggregate(defaults, (current, configure) => configure(services, current));
        return new KafkaStreams(topology(services), config);
    }
}
