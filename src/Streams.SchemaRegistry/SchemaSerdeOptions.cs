namespace Streams.SchemaRegistry;

/// <summary>How a serde uses the registry.</summary>
public sealed record SchemaSerdeOptions
{
    /// <summary>Which subject schemas are looked for and registered under.</summary>
    public required SubjectNameStrategy Subject { get; init; }

    /// <summary>Whether a schema that is new to the subject is registered with the first value (default yes); otherwise it must be there. Confluent: <c>auto.register.schemas</c>.</summary>
    public bool AutoRegister { get; init; } = true;

    /// <summary>
    /// Whether values are written with the newest version of the subject, as it was when the first value was written, instead of the serde's own schema (default no). Nothing is
    /// registered then. Confluent: <c>use.latest.version</c>.
    /// </summary>
    public bool UseLatestVersion { get; init; }

    /// <summary>Whether the registry compares schemas by meaning rather than text (default no). Confluent: <c>normalize.schemas</c>.</summary>
    public bool Normalize { get; init; }
}
