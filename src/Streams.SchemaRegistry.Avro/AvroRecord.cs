using System.Collections;
using System.Globalization;
using System.Text;

namespace Streams.SchemaRegistry.Avro;

/// <summary>A record as its schema says, without a C# type of its own.</summary>
/// <remarks>
/// Fields hold <c>null</c>, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="float"/>, <see cref="double"/>, <see cref="string"/>, a <see cref="byte"/> array,
/// <see cref="AvroRecord"/>, <see cref="AvroEnum"/>, <see cref="AvroFixed"/>, lists and dictionaries with text keys of these. Logical types are not converted: a timestamp is its <see cref="long"/>.
/// They are checked when the record is written. Equality is by schema name and field values. Not thread-safe.
/// </remarks>
public sealed class AvroRecord : IEquatable<AvroRecord>
{
    private readonly object?[] _values;

    /// <summary>Creates a record whose fields are all <c>null</c>.</summary>
    /// <exception cref="ArgumentException">The schema is not a record's.</exception>
    public AvroRecord(AvroSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (schema.Kind != AvroKind.Record) throw new ArgumentException($"A schema of {schema.Label} is not one of a record.", nameof(schema));
        Schema = schema;
        _values = new object?[schema.Fields.Count];
    }

    internal AvroRecord(AvroSchema schema, object?[] values)
    {
        Schema = schema;
        _values = values;
    }

    /// <summary>What it is a record of.</summary>
    public AvroSchema Schema { get; }

    /// <summary>A field's value by name.</summary>
    /// <exception cref="ArgumentException">There is no such field.</exception>
    public object? this[string field]
    {
        get => _values[Position(field)];
        set => _values[Position(field)] = value;
    }

    /// <summary>A field's value by position, from 0.</summary>
    public object? this[int position]
    {
        get => _values[position];
        set => _values[position] = value;
    }

    /// <summary>A field's value as a type.</summary>
    /// <exception cref="ArgumentException">There is no such field.</exception>
    /// <exception cref="InvalidCastException">The value is of another type, or <c>null</c> where the type has none.</exception>
    public T Get<T>(string field) => (T)this[field]!;

    /// <inheritdoc/>
    public bool Equals(AvroRecord? other) => other is not null && Schema.FullName == other.Schema.FullName && AvroValues.AreEqual(_values, other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AvroRecord);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Schema.FullName, StringComparer.Ordinal);
        foreach (var value in _values) hash.Add(AvroValues.HashOf(value));
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder(Schema.Name).Append(" { ");
        for (var index = 0; index < _values.Length; index++)
        {
            if (index > 0) text.Append(", ");
            text.Append(Schema.Fields[index].Name).Append(" = ").Append(Convert.ToString(_values[index] ?? "null", CultureInfo.InvariantCulture));
        }

        return text.Append(" }").ToString();
    }

    private int Position(string field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return (Schema.Field(field) ?? throw new ArgumentException($"{Schema.FullName} has no field '{field}'; it has {string.Join(", ", Schema.Fields.Select(known => known.Name))}.", nameof(field))).Position;
    }
}

/// <summary>A symbol of an enum.</summary>
/// <param name="Symbol">The symbol.</param>
public sealed record AvroEnum(string Symbol)
{
    /// <inheritdoc/>
    public override string ToString() => Symbol;
}

/// <summary>Bytes of a fixed type. Equality is by content.</summary>
/// <param name="Bytes">As many as the schema says.</param>
public sealed record AvroFixed(ReadOnlyMemory<byte> Bytes)
{
    /// <inheritdoc/>
    public bool Equals(AvroFixed? other) => other is not null && Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes.Span);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexString(Bytes.Span);
}

/// <summary>Equality of generic values by content.</summary>
internal static class AvroValues
{
    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (byte[] one, byte[] other) => one.AsSpan().SequenceEqual(other),
        (string one, string other) => string.Equals(one, other, StringComparison.Ordinal),
        (IReadOnlyDictionary<string, object?> one, IReadOnlyDictionary<string, object?> other) =>
            one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var value) && AreEqual(entry.Value, value)),
        (IList one, IList other) => one.Count == other.Count && Enumerable.Range(0, one.Count).All(index => AreEqual(one[index], other[index])),
        _ => left.Equals(right),
    };

    // Containers count by size only: what is equal hashes equal, and that is all a hash must do.
    public static int HashOf(object? value) => value switch
    {
        null => 0,
        ICollection collection => collection.Count,
        _ => value.GetHashCode(),
    };
}
