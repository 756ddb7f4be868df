using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Streams.SchemaRegistry.Avro.Mapping;

namespace Streams.SchemaRegistry.Avro.Reading;

/// <summary>
/// Makes plans by the specification's rules of schema resolution: names and aliases, promotions, defaults, unions. What can never be read is an
/// <see cref="AvroResolutionException"/> when the plan is made; what depends on the value fails when such a value comes.
/// </summary>
internal sealed class ReadPlanner(ITargets targets)
{
    private readonly Dictionary<(AvroSchema Writer, AvroSchema Reader, Type Target), RecordPlan> _records = [];

    public ReadPlan Plan(AvroSchema writer, AvroSchema reader, Type target)
    {
        if (writer.Kind == AvroKind.Union) return new UnionPlan(writer, [.. writer.Branches.Select(branch => PlanBranch(branch, reader, target))]);
        if (reader.Kind == AvroKind.Union) return Plan(writer, ChooseBranch(writer, reader), target);
        if (!Matches(writer, reader)) throw Mismatch(writer, reader);
        return reader.Kind switch
        {
            AvroKind.Record => PlanRecord(writer, reader, target),
            AvroKind.Enum => PlanEnum(writer, reader, target),
            AvroKind.Array => new ArrayPlan(Plan(writer.Items!, reader.Items!, targets.ItemOf(target)), targets.List(target)),
            AvroKind.Map => new MapPlan(Plan(writer.Items!, reader.Items!, targets.ValueOf(target)), targets.Map(target)),
            _ => new ScalarPlan(writer, Promoted(writer.Kind, reader.Kind, targets.Scalar(reader, target))),
        };
    }

    private ReadPlan PlanBranch(AvroSchema branch, AvroSchema reader, Type target)
    {
        try
        {
            return Plan(branch, reader, target);
        }
        catch (AvroResolutionException failure)
        {
            return new UnreadablePlan(failure.Message);
        }
    }

    // The same type first, then one that the writer's can be promoted to.
    private static AvroSchema ChooseBranch(AvroSchema writer, AvroSchema reader) =>
        reader.Branches.FirstOrDefault(branch => branch.Kind == writer.Kind && branch.FullName == writer.FullName)
        ?? reader.Branches.FirstOrDefault(branch => branch.Kind == writer.Kind && Matches(writer, branch))
        ?? reader.Branches.FirstOrDefault(branch => Matches(writer, branch))
        ?? throw Mismatch(writer, reader);

    private static bool Matches(AvroSchema writer, AvroSchema reader)
    {
        if (writer.Kind == reader.Kind)
        {
            return writer.Kind switch
            {
                AvroKind.Record or AvroKind.Enum => SameName(writer, reader),
                AvroKind.Fixed => writer.Size == reader.Size && SameName(writer, reader),
                _ => true,
            };
        }

        return (writer.Kind, reader.Kind) is
            (AvroKind.Int, AvroKind.Long or AvroKind.Float or AvroKind.Double)
            or (AvroKind.Long, AvroKind.Float or AvroKind.Double)
            or (AvroKind.Float, AvroKind.Double)
            or (AvroKind.String, AvroKind.Bytes)
            or (AvroKind.Bytes, AvroKind.String);
    }

    private static bool SameName(AvroSchema writer, AvroSchema reader) =>
        string.Equals(writer.Name, reader.Name, StringComparison.Ordinal) || reader.Aliases.Contains(writer.FullName, StringComparer.Ordinal);

    private static Func<object, object> Promoted(AvroKind from, AvroKind to, Func<object, object> convert) => (from, to) switch
    {
        (AvroKind.Int, AvroKind.Long) => value => convert((long)(int)value),
        (AvroKind.Int, AvroKind.Float) => value => convert((float)(int)value),
        (AvroKind.Int, AvroKind.Double) => value => convert((double)(int)value),
        (AvroKind.Long, AvroKind.Float) => value => convert((float)(long)value),
        (AvroKind.Long, AvroKind.Double) => value => convert((double)(long)value),
        (AvroKind.Float, AvroKind.Double) => value => convert((double)(float)value),
        (AvroKind.String, AvroKind.Bytes) => value => convert(System.Text.Encoding.UTF8.GetBytes((string)value)),
        (AvroKind.Bytes, AvroKind.String) => value => convert(System.Text.Encoding.UTF8.GetString((byte[])value)),
        _ => convert,
    };

    private EnumPlan PlanEnum(AvroSchema writer, AvroSchema reader, Type target)
    {
        var convert = targets.Symbol(reader, target);
        var values = new object?[writer.Symbols.Count];
        for (var index = 0; index < values.Length; index++)
        {
            var symbol = reader.Symbols.Contains(writer.Symbols[index], StringComparer.Ordinal) ? writer.Symbols[index] : reader.DefaultSymbol;
            values[index] = symbol is null ? null : convert(symbol);
        }

        return new EnumPlan(writer, reader, values);
    }

    private RecordPlan PlanRecord(AvroSchema writer, AvroSchema reader, Type target)
    {
        if (_records.TryGetValue((writer, reader, target), out var plan)) return plan;
        plan = new RecordPlan();
        _records.Add((writer, reader, target), plan);

        var shape = targets.Record(reader, target);
        var written = new HashSet<AvroField>();
        var steps = new List<(ReadPlan? Plan, AvroSchema Schema, int Target)>();
        foreach (var field in writer.Fields)
        {
            var into = reader.Fields.FirstOrDefault(candidate => candidate.Name == field.Name) ?? reader.Fields.FirstOrDefault(candidate => candidate.Aliases.Contains(field.Name, StringComparer.Ordinal));
            if (into is null || shape.TypeOf(into) is not { } type || !written.Add(into))
                steps.Add((null, field.Schema, -1));
            else
                steps.Add((PlanField(field, into, reader, type), field.Schema, into.Position));
        }

        plan.Steps = [.. steps];
        plan.Count = reader.Fields.Count;
        plan.Defaults = [.. reader.Fields.Where(field => !written.Contains(field) && shape.TypeOf(field) is not null).Select(field => (field.Position, Default(field, reader, shape.TypeOf(field)!)))];
        plan.Finish = shape.Create;
        return plan;
    }

    private ReadPlan PlanField(AvroField field, AvroField into, AvroSchema reader, Type type)
    {
        try
        {
            return Plan(field.Schema, into.Schema, type);
        }
        catch (AvroResolutionException failure)
        {
            throw new AvroResolutionException($"field '{into.Name}' of {reader.Label}: {failure.Message}");
        }
    }

    // A default is bytes of its schema like any other value, so that all rules of making values hold for it; bytes once, a value per record.
    private Func<object?> Default(AvroField field, AvroSchema record, Type type)
    {
        if (field.Default is not { } json)
            throw new AvroResolutionException($"field '{field.Name}' of {record.Label} has no default and is not in the schema that the value was written with");

        // The default of a union belongs to its first branch.
        var schema = field.Schema.Kind == AvroKind.Union ? field.Schema.Branches[0] : field.Schema;
        byte[] bytes;
        try
        {
            bytes = AvroDefaults.Encode(schema, json);
        }
        catch (Exception failure) when (failure is FormatException or InvalidOperationException or JsonException)
        {
            throw new AvroResolutionException($"the default of field '{field.Name}' of {record.Label} is not a {schema.Label}: {failure.Message}");
        }

        var plan = Plan(schema, schema, type);
        return () =>
        {
            var input = new AvroReader(bytes);
            return plan.Read(ref input);
        };
    }

    private static AvroResolutionException Mismatch(AvroSchema writer, AvroSchema reader) => new($"{writer.Label} cannot be read as {reader.Label}");
}

/// <summary>Two schemas do not go together.</summary>
[SuppressMessage("Design", "CA1064", Justification = "Never leaves the assembly: the serde turns it into a SerializationException with the id.")]
internal sealed class AvroResolutionException(string message) : Exception(message);
