namespace Streams.SchemaRegistry.Avro.Reading;

/// <summary>Reads past a value.</summary>
internal static class AvroSkipper
{
    public static void Skip(AvroSchema schema, ref AvroReader reader)
    {
        switch (schema.Kind)
        {
            case AvroKind.Null:
                break;
            case AvroKind.Boolean:
                reader.ReadFixed(1);
                break;
            case AvroKind.Int or AvroKind.Long:
                reader.ReadLong();
                break;
            case AvroKind.Enum:
                reader.ReadIndex(schema.Symbols.Count, schema.Label);
                break;
            case AvroKind.Float:
                reader.ReadFixed(4);
                break;
            case AvroKind.Double:
                reader.ReadFixed(8);
                break;
            case AvroKind.Bytes or AvroKind.String:
                reader.ReadBytes();
                break;
            case AvroKind.Fixed:
                reader.ReadFixed(schema.Size);
                break;
            case AvroKind.Union:
                Skip(schema.Branches[reader.ReadIndex(schema.Branches.Count, schema.Label)], ref reader);
                break;
            case AvroKind.Record:
                reader.Enter();
                foreach (var field in schema.Fields) Skip(field.Schema, ref reader);
                reader.Leave();
                break;
            default:
                reader.Enter();
                for (var count = reader.ReadBlock(); count > 0; count = reader.ReadBlock())
                {
                    for (var index = 0; index < count; index++)
                    {
                        var before = reader.Remaining;
                        if (schema.Kind == AvroKind.Map) reader.ReadBytes();
                        Skip(schema.Items!, ref reader);
                        reader.CountItem(before);
                    }
                }

                reader.Leave();
                break;
        }
    }
}
