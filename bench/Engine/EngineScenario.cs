using Streams.Core;

namespace Bench.Engine;

/// <summary>A topology and its input.</summary>
internal abstract class EngineScenario
{
    public abstract string Name { get; }

    public abstract Topology Build();

    /// <summary>Key of record number <paramref name="index"/>.</summary>
    public abstract void WriteKey(long index, Span<byte> key);

    public virtual int KeyBytes => 12;

    public virtual int ValueBytes => 50;

    public virtual void WriteValue(long index, Span<byte> value)
    {
        for (var position = 0; position < value.Length; position++) value[position] = (byte)('a' + ((index + position) % 26));
    }

    public virtual string Topic(long index) => "input";

    public virtual IReadOnlyList<string> Topics => ["input"];

    /// <summary>Milliseconds of event time between records.</summary>
    public virtual long Timestamp(long index) => 1_700_000_000_000 + (index / 100);

    /// <summary>Bytes that the strings made by serdes and user functions take per record, measured by making them.</summary>
    public abstract double StringBytesPerRecord();
}
