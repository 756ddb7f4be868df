namespace Kafka.Protocol.Messages;

/// <summary>
/// The frame around data that group members exchange through the coordinator: an int16 version, then the fields of that version.
/// </summary>
/// <remarks>Source: Kafka's <c>ConsumerProtocol</c>.</remarks>
public static class VersionedPayload
{
    /// <summary>Writes version and fields.</summary>
    /// <exception cref="ProtocolException">The payload cannot be expressed in <paramref name="version"/>.</exception>
    public static byte[] Encode(IMessage payload, short version)
    {
        ArgumentNullException.ThrowIfNull(payload);
        using var writer = new ProtocolWriter();
        writer.WriteInt16(version);
        payload.Write(writer, version);
        return writer.ToArray();
    }

    /// <summary>
    /// Reads version and fields. A version higher than <paramref name="known"/> is read as the highest known one: new fields only ever come
    /// at the end, so that members of different age can share a group.
    /// </summary>
    /// <param name="payload">The bytes.</param>
    /// <param name="known">The versions that <typeparamref name="T"/> has.</param>
    /// <param name="version">The version the sender used.</param>
    /// <exception cref="ProtocolException">The bytes are not such a payload.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> payload, VersionRange known, out short version)
        where T : IMessage, new()
    {
        var reader = new ProtocolReader(payload);
        version = reader.ReadInt16();
        return reader.ReadStruct<T>(Math.Min(version, known.Max));
    }
}
