namespace Kafka.Protocol;

/// <summary>Something with a layout per version: a request, a response, or a struct inside one.</summary>
public interface IMessage
{
    /// <summary>
    /// Reads the fields of <paramref name="version"/>. Call it on a fresh instance: fields the version lacks keep their defaults.
    /// </summary>
    /// <exception cref="ProtocolException">The bytes are not such a message.</exception>
    void Read(ref ProtocolReader reader, short version);

    /// <summary>
    /// Writes the fields of <paramref name="version"/>. A field the version lacks is left out if Kafka's schema calls it ignorable, or if
    /// it has its default.
    /// </summary>
    /// <exception cref="ProtocolException">A field has a value that the version cannot carry.</exception>
    void Write(ProtocolWriter writer, short version);
}
