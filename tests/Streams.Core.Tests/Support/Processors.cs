namespace Streams.Core.Tests.Support;

/// <summary>Calls a function for each record and sends nothing on.</summary>
internal sealed class Sink<K, V>(Action<Record<K, V>, ProcessorContext> action) : Processor<K, V>
{
    public override void Process(in Record<K, V> record) => action(record, Context);
}

/// <summary>Calls a function for each record, which may send records on through the given delegate.</summary>
internal sealed class Relay<K, V>(Action<Record<K, V>, Relay<K, V>> action, Action<Relay<K, V>>? init = null, Action? closed = null) : Processor<K, V, K, V>
{
    public ProcessorContext Task => Context;

    public override void Process(in Record<K, V> record) => action(record, this);

    public void Send(in Record<K, V> record) => Forward(in record);

    public void SendTo(in Record<K, V> record, string child) => Forward(in record, child);

    protected override void Init() => init?.Invoke(this);

    protected internal override void Close() => closed?.Invoke();
}

/// <summary>Sends everything on, without a delegate in between: for measuring.</summary>
internal sealed class PassOn<K, V> : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record) => Forward(in record);
}

internal static class Options
{
    public static readonly SourceOptions<string, string> Texts = new() { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String };

    public static readonly SourceOptions<string, int> Numbers = new() { KeyDeserializer = Serdes.String, ValueDeserializer = new TextNumberSerde() };

    public static readonly SinkOptions<string, string> TextSink = new() { KeySerializer = Serdes.String, ValueSerializer = Serdes.String };

    public static readonly SinkOptions<string, int> NumberSink = new() { KeySerializer = Serdes.String, ValueSerializer = new TextNumberSerde() };
}
