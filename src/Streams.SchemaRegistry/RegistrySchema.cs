namespace Streams.SchemaRegistry;

/// <summary>A schema as a registry keeps it.</summary>
/// <param name="Type">Its language.</param>
/// <param name="Text">Its text.</param>
/// <param name="References">Registered schemas that it names; empty by default.</param>
public sealed record RegistrySchema(SchemaType Type, string Text, IReadOnlyList<SchemaReference> References)
{
    /// <summary>A schema that refers to no other.</summary>
    public RegistrySchema(SchemaType type, string text)
        : this(type, text, [])
    {
    }

    /// <inheritdoc/>
    public bool Equals(RegistrySchema? other) =>
        other is not null && Type == other.Type && string.Equals(Text, other.Text, StringComparison.Ordinal) && References.SequenceEqual(other.References);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, StringComparer.Ordinal.GetHashCode(Text), References.Count);
}

/// <summary>A registered schema that another one names.</summary>
/// <param name="Name">How the other one names it: an import path in Protobuf, a full name in Avro, a URL in JSON Schema.</param>
/// <param name="Subject">Subject it is registered under.</param>
/// <param name="Version">Version in that subject, from 1.</param>
public sealed record SchemaReference(string Name, string Subject, int Version);

/// <summary>A schema and where the registry has it.</summary>
/// <param name="Subject">The subject.</param>
/// <param name="Version">Version in the subject, from 1.</param>
/// <param name="Id">Id that is unique in the registry; what records carry.</param>
/// <param name="Schema">The schema.</param>
public sealed record RegisteredSchema(string Subject, int Version, int Id, RegistrySchema Schema);

/// <summary>What a new version of a subject may change.</summary>
public enum SchemaCompatibility
{
    /// <summary>Anything.</summary>
    None,

    /// <summary>Readers with the new version can read what the last version wrote; the registry's default.</summary>
    Backward,

    /// <summary>Readers with the new version can read what any earlier version wrote.</summary>
    BackwardTransitive,

    /// <summary>Readers with the last version can read what the new version writes.</summary>
    Forward,

    /// <summary>Readers with any earlier version can read what the new version writes.</summary>
    ForwardTransitive,

    /// <summary>Backward and forward with the last version.</summary>
    Full,

    /// <summary>Backward and forward with every earlier version.</summary>
    FullTransitive,
}
