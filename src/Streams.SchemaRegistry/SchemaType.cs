namespace Streams.SchemaRegistry;

/// <summary>Language a schema is written in.</summary>
public enum SchemaType
{
    /// <summary>Apache Avro; the registry's default.</summary>
    Avro,

    /// <summary>Protocol Buffers: the text of a <c>.proto</c> file, or its serialised descriptor in Base64.</summary>
    Protobuf,

    /// <summary>JSON Schema.</summary>
    Json,
}
