using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>Every message in every version against an encoder that works from the schema table alone.</summary>
public sealed class MessageRoundTripTests
{
    private const int Seed = 20261121;
    private const int InstancesPerVersion = 12;

    public static IEnumerable<TheoryDataRow<string>> Messages => Schema.All.Keys.Select(name => new TheoryDataRow<string>(name));

    [Fact]
    public void Schema_covers_every_message_and_no_other()
    {
        var inTable = Schema.All.Keys.Where(name => !name.StartsWith("ConsumerProtocol", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        var inLibrary = ApiMessages.All
            .SelectMany(api => new[] { api.NewRequest().GetType().Name, api.NewResponse().GetType().Name })
            .Order(StringComparer.Ordinal);

        Assert.Equal(inTable, inLibrary);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Class_has_the_fields_versions_and_defaults_of_the_schema(string name)
    {
        var schema = Schema.All[name];
        var type = MessageObject.TypeOf(name);
        var versions = (VersionRange)type.GetProperty("Versions")!.GetValue(null)!;
        Assert.Equal((schema.Versions.Min, schema.Versions.Max), (versions.Min, versions.Max));
        if (type.GetProperty("FlexibleFrom")?.GetValue(null) is short flexibleFrom)
            Assert.Equal(schema.Flexible.Min == int.MaxValue ? VersionRange.Never : schema.Flexible.Min, flexibleFrom);

        AssertFields(type, schema.Fields);
        var fresh = MessageObject.ToValue(MessageObject.New(name), schema.Fields);
        Assert.Null(SchemaValue.Difference(SchemaValue.DefaultStruct(schema.Fields), fresh, name));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Message_reads_and_writes_what_the_schema_says_in_every_version(string name)
    {
        var schema = Schema.All[name];
        using var writer = new ProtocolWriter();
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            for (var instance = 0; instance < InstancesPerVersion; instance++)
            {
                var seed = HashCode(name, version, instance);
                var value = SchemaValue.RandomStruct(schema.Fields, version, new Random(seed));
                var bytes = SchemaValue.Encode(schema, value, version);
                var because = $"{name} v{version} seed {seed}";

                var message = MessageObject.New(name);
                var reader = new ProtocolReader(bytes);
                message.Read(ref reader, version);
                Assert.True(reader.Remaining == 0, $"{because}: {reader.Remaining} bytes left");
                var difference = SchemaValue.Difference(value, MessageObject.ToValue(message, schema.Fields), name);
                Assert.True(difference is null, $"{because}: {difference}");

                var built = MessageObject.New(name);
                MessageObject.Fill(built, schema.Fields, value);
                built.Write(writer, version);
                Assert.True(bytes.AsSpan().SequenceEqual(writer.ToArray()), $"{because}: written bytes differ");
                Assert.Equal(bytes.Length, writer.Length);
                writer.Reset();

                message.Write(writer, version);
                Assert.True(bytes.AsSpan().SequenceEqual(writer.ToArray()), $"{because}: bytes differ when what was read is written");
                writer.Reset();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Message_skips_tagged_fields_it_does_not_know(string name)
    {
        var schema = Schema.All[name];
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            var seed = HashCode(name, version, -1);
            var random = new Random(seed);
            var value = SchemaValue.RandomStruct(schema.Fields, version, random);
            var message = MessageObject.New(name);
            var reader = new ProtocolReader(SchemaValue.Encode(schema, value, version, random));
            message.Read(ref reader, version);

            Assert.Equal(0, reader.Remaining);
            var difference = SchemaValue.Difference(value, MessageObject.ToValue(message, schema.Fields), name);
            Assert.True(difference is null, $"{name} v{version} seed {seed}: {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Field_the_version_lacks_is_left_out_if_ignorable_and_refused_if_not(string name)
    {
        var schema = Schema.All[name];
        using var writer = new ProtocolWriter();
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            var plain = Populated(schema.Fields, version, null);
            foreach (var path in Paths(schema.Fields, version, string.Empty).Where(p => !p.Field.Versions.Contains(version)))
            {
                var message = MessageObject.New(name);
                MessageObject.Fill(message, schema.Fields, Populated(schema.Fields, version, path.Name));
                if (path.Field.Ignorable)
                {
                    message.Write(writer, version);
                    Assert.True(SchemaValue.Encode(schema, plain, version).AsSpan().SequenceEqual(writer.ToArray()), $"{name}{path.Name} v{version}");
                }
                else
                {
                    var error = Assert.Throws<ProtocolException>(() => message.Write(writer, version));
                    Assert.Equal(ErrorCode.UnsupportedVersion, error.ErrorCode);
                    Assert.Contains(path.Field.Name, error.Message, StringComparison.Ordinal);
                }

                writer.Reset();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Null_is_refused_where_the_version_does_not_allow_it(string name)
    {
        var schema = Schema.All[name];
        using var writer = new ProtocolWriter();
        for (var version = (short)schema.Versions.Min; version <= schema.Versions.Max; version++)
        {
            foreach (var field in schema.Fields.Where(f => f.Versions.Contains(version) && !f.Nullable.Contains(version) && f.Tag is null))
            {
                if (!field.IsArray && field.Type != "string")
                    continue;
                var message = MessageObject.New(name);
                message.GetType().GetProperty(field.Name)!.SetValue(message, null);
                Assert.Throws<ProtocolException>(() => message.Write(writer, version));
                writer.Reset();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Version_outside_the_range_is_refused_both_ways(string name)
    {
        var schema = Schema.All[name];
        foreach (var version in new[] { (short)(schema.Versions.Min - 1), (short)(schema.Versions.Max + 1) })
        {
            var message = MessageObject.New(name);
            using var writer = new ProtocolWriter();
            Assert.Equal(ErrorCode.UnsupportedVersion, Assert.Throws<ProtocolException>(() => message.Write(writer, version)).ErrorCode);
            Assert.Equal(ErrorCode.UnsupportedVersion, Assert.Throws<ProtocolException>(() => Read(message, version)).ErrorCode);
        }

        static void Read(IMessage message, short version)
        {
            var reader = new ProtocolReader(new byte[100]);
            message.Read(ref reader, version);
        }
    }

    // A stable one: string.GetHashCode differs per process, and a seed has to reproduce.
    internal static int HashCode(string name, int version, int instance)
    {
        var hash = Seed;
        foreach (var c in name)
            hash = (hash * 31) + c;
        return (((hash * 31) + version) * 31) + instance;
    }

    private static void AssertFields(Type type, List<SchemaField> fields)
    {
        Assert.Equal(
            fields.Select(f => f.Name).Order(StringComparer.Ordinal),
            MessageObject.FieldProperties(type).Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var field in fields.Where(f => f.IsStruct))
        {
            var inner = type.GetProperty(field.Name)!.PropertyType;
            AssertFields(field.IsArray ? inner.GetGenericArguments()[0] : inner, field.Fields);
        }
    }

    // All fields by path, those of structs only under fields that the version has.
    private static IEnumerable<(string Name, SchemaField Field)> Paths(List<SchemaField> fields, int version, string prefix)
    {
        foreach (var field in fields)
        {
            var path = $"{prefix}.{field.Name}";
            yield return (path, field);
            if (field.IsStruct && field.Versions.Contains(version))
            {
                foreach (var inner in Paths(field.Fields, version, path))
                    yield return inner;
            }
        }
    }

    // Defaults everywhere, but one element in every array of structs and every struct there, and the field at the path not at its default.
    private static Dictionary<string, object?> Populated(List<SchemaField> fields, int version, string? path, string prefix = "")
    {
        var value = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            var here = $"{prefix}.{field.Name}";
            if (here == path)
                value.Add(field.Name, SchemaValue.NonDefault(field));
            else if (!field.IsStruct || !field.Versions.Contains(version))
                value.Add(field.Name, DefaultFor(field, version));
            else if (field.IsArray)
                value.Add(field.Name, new List<object?> { Populated(field.Fields, version, path, here) });
            else
                value.Add(field.Name, Populated(field.Fields, version, path, here));
        }

        return value;
    }

    // The default may be null in a version that has the field but not null.
    private static object? DefaultFor(SchemaField field, int version) =>
        SchemaValue.Default(field) ?? (field.Versions.Contains(version) && !field.Nullable.Contains(version) && field.Tag is null
            ? SchemaValue.NonDefault(field)
            : null);
}
