using Streams.Core;

namespace Streams.SchemaRegistry.Avro.Reading;

/// <summary>How bytes of one schema become a value of another: made once per pair of schemas, run for each value.</summary>
internal abstract class ReadPlan
{
    public abstract object? Read(ref AvroReader reader);
}

/// <summary>A value without structure.</summary>
internal sealed class ScalarPlan(AvroSchema writer, Func<object, object> convert) : ReadPlan
{
    public override object? Read(ref AvroReader reader) => writer.Kind switch
    {
        AvroKind.Null => null,
        AvroKind.Boolean => convert(reader.ReadBoolean()),
        AvroKind.Int => convert(reader.ReadInt()),
        AvroKind.Long => convert(reader.ReadLong()),
        AvroKind.Float => convert(reader.ReadFloat()),
        AvroKind.Double => convert(reader.ReadDouble()),
        AvroKind.String => convert(reader.ReadString()),
        AvroKind.Bytes => convert(reader.ReadBytes().ToArray()),
        _ => convert(reader.ReadFixed(writer.Size).ToArray()),
    };
}

/// <summary>An enum: each symbol of the writer has its value of the reader, or none.</summary>
internal sealed class EnumPlan(AvroSchema writer, AvroSchema reader, object?[] values) : ReadPlan
{
    public override object? Read(ref AvroReader input)
    {
        var index = input.ReadIndex(writer.Symbols.Count, writer.Label);
        return values[index] ?? throw new SerializationException($"{reader.Label} has no symbol '{writer.Symbols[index]}' and no default.");
    }
}

/// <summary>An array.</summary>
internal sealed class ArrayPlan(ReadPlan items, Func<List<object?>, object> finish) : ReadPlan
{
    public override object? Read(ref AvroReader reader)
    {
        reader.Enter();
        var list = new List<object?>();
        for (var count = reader.ReadBlock(); count > 0; count = reader.ReadBlock())
        {
            for (var index = 0; index < count; index++)
            {
                var before = reader.Remaining;
                list.Add(items.Read(ref reader));
                reader.CountItem(before);
            }
        }

        reader.Leave();
        return finish(list);
    }
}

/// <summary>A map.</summary>
internal sealed class MapPlan(ReadPlan values, Func<Dictionary<string, object?>, object> finish) : ReadPlan
{
    public override object? Read(ref AvroReader reader)
    {
        reader.Enter();
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var count = reader.ReadBlock(); count > 0; count = reader.ReadBlock())
        {
            // An entry has a key and so takes at least a byte: the bytes bound the number.
            for (var index = 0; index < count; index++) map[reader.ReadString()] = values.Read(ref reader);
        }

        reader.Leave();
        return finish(map);
    }
}

/// <summary>A union of the writer: the branch decides.</summary>
internal sealed class UnionPlan(AvroSchema writer, ReadPlan[] branches) : ReadPlan
{
    public override object? Read(ref AvroReader reader) => branches[reader.ReadIndex(branches.Length, writer.Label)].Read(ref reader);
}

/// <summary>What cannot be read, should it come: schemas are allowed to differ in branches that no value uses.</summary>
internal sealed class UnreadablePlan(string why) : ReadPlan
{
    public override object? Read(ref AvroReader reader) => throw new SerializationException(why);
}

/// <summary>A record. Filled after it is made, because records may contain themselves.</summary>
internal sealed class RecordPlan : ReadPlan
{
    /// <summary>For each field of the writer: its plan and where it goes, or -1 to read past it.</summary>
    public (ReadPlan? Plan, AvroSchema Schema, int Target)[] Steps { get; set; } = [];

    /// <summary>Number of values.</summary>
    public int Count { get; set; }

    /// <summary>Values of fields that the writer does not have, made anew for each record.</summary>
    public (int Target, Func<object?> Value)[] Defaults { get; set; } = [];

    /// <summary>Makes the record.</summary>
    public Func<object?[], object> Finish { get; set; } = values => values;

    public override object? Read(ref AvroReader reader)
    {
        reader.Enter();
        var values = new object?[Count];
        foreach (var (plan, schema, target) in Steps)
        {
            if (plan is null)
                AvroSkipper.Skip(schema, ref reader);
            else
                values[target] = plan.Read(ref reader);
        }

        foreach (var (target, value) in Defaults) values[target] = value();
        reader.Leave();
        return Finish(values);
    }
}
