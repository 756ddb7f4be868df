using Kafka.Protocol.Messages;

namespace Kafka.Protocol;

/// <summary>What precedes every request body.</summary>
/// <remarks>
/// Layout: api key (int16), version (int16), correlation id (int32); from header version 1 the client id as a plain nullable string, also
/// where everything else is compact, so that a broker can read it before it knows the version; from header version 2 tagged fields.
/// Which header version goes with a request: <see cref="ApiDescriptor.RequestHeaderVersion"/>.
/// </remarks>
/// <param name="ApiKey">The operation; possibly one that has no name here.</param>
/// <param name="ApiVersion">Version of the body (and, with the key, of this header).</param>
/// <param name="CorrelationId">Comes back in the response.</param>
/// <param name="ClientId">The client's name for itself (<c>client.id</c>).</param>
public readonly record struct RequestHeader(ApiKey ApiKey, short ApiVersion, int CorrelationId, string? ClientId)
{
    /// <summary>
    /// Reads a header. Of a request whose key is not in <see cref="ApiMessages"/> only the fixed eight bytes can be understood: its
    /// <see cref="ClientId"/> is null and nothing more is consumed. A version that is too high is read in the form it would have.
    /// </summary>
    /// <exception cref="ProtocolException">The bytes are no header.</exception>
    public static RequestHeader Read(ref ProtocolReader reader)
    {
        var key = (ApiKey)reader.ReadInt16();
        var version = reader.ReadInt16();
        var correlationId = reader.ReadInt32();
        if (!ApiMessages.TryGet(key, out var api))
            return new RequestHeader(key, version, correlationId, null);
        var clientId = reader.ReadNullableString(compact: false);
        if (api.RequestHeaderVersion(version) >= 2)
            reader.SkipTaggedFields();
        return new RequestHeader(key, version, correlationId, clientId);
    }

    /// <summary>Writes the header.</summary>
    public void Write(ProtocolWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteInt16((short)ApiKey);
        writer.WriteInt16(ApiVersion);
        writer.WriteInt32(CorrelationId);
        writer.WriteNullableString(ClientId, compact: false);
        if (ApiMessages.Get(ApiKey).RequestHeaderVersion(ApiVersion) >= 2)
            writer.WriteNoTaggedFields();
    }
}
