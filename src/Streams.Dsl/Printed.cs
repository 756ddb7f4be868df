namespace Streams.Dsl;

/// <summary>Where and how <see cref="KStream{K, V}.Print"/> writes. Source: Kafka's <c>Printed</c>.</summary>
public static class Printed
{
    /// <summary>Writes to a text writer, which stays open. Several tasks may write to it, so it must be safe for several threads.</summary>
    public static Printed<K, V> To<K, V>(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return new Printed<K, V>(output);
    }
}

/// <summary>Where and how <see cref="KStream{K, V}.Print"/> writes. Source: Kafka's <c>Printed</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Printed<K, V>
{
    private readonly TextWriter _output;

    internal Printed(TextWriter output) => _output = output;

    /// <summary>Name of the node. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>What stands in brackets at the beginning of each line. Default: the name of the node that is printed.</summary>
    public string? Label { get; init; }

    /// <summary>Gives the text after the label. Default: <c>key, value</c>, with <c>null</c> for what is absent.</summary>
    public Func<K, V, string>? Mapper { get; init; }

    /// <summary>The same with a label.</summary>
    public Printed<K, V> WithLabel(string label) => this with { Label = label };

    /// <summary>The same with another text after the label.</summary>
    public Printed<K, V> WithKeyValueMapper(Func<K, V, string> mapper) => this with { Mapper = mapper };

    /// <summary>The same with another name.</summary>
    public Printed<K, V> WithName(string name) => this with { Name = name };

    internal Action<K, V> ToAction(string nodeName)
    {
        var label = Label ?? nodeName;
        var mapper = Mapper ?? (static (key, value) => $"{(key is null ? "null" : key)}, {(value is null ? "null" : value)}");
        var output = _output;
        return (key, value) => output.WriteLine($"[{label}]: {mapper(key, value)}");
    }
}
