namespace Kafka.Protocol;

/// <summary>What precedes every response body: the correlation id (int32), and tagged fields from header version 1.</summary>
/// <remarks>
/// Flexible responses have version 1, with one exception: ApiVersions always has version 0, because a client reads it before it knows what
/// the broker speaks (KIP-511). See <see cref="Messages.ApiDescriptor.ResponseHeaderVersion"/>.
/// </remarks>
/// <param name="CorrelationId">Copied from the request.</param>
public readonly record struct ResponseHeader(int CorrelationId)
{
    /// <summary>Reads a header of the given header version (0 or 1).</summary>
    /// <exception cref="ProtocolException">The bytes are no header.</exception>
    public static ResponseHeader Read(ref ProtocolReader reader, short headerVersion)
    {
        var correlationId = reader.ReadInt32();
        if (headerVersion >= 1)
            reader.SkipTaggedFields();
        return new ResponseHeader(correlationId);
    }

    /// <summary>Writes a header of the given header version (0 or 1).</summary>
    public void Write(ProtocolWriter writer, short headerVersion)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteInt32(CorrelationId);
        if (headerVersion >= 1)
            writer.WriteNoTaggedFields();
    }
}
