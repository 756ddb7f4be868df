namespace Broker.Lite.Security.Sasl;

/// <summary>One run of a SASL mechanism with one client.</summary>
internal interface ISaslExchange
{
    /// <summary>Takes the client's next message.</summary>
    /// <exception cref="SaslException">The client failed; the exchange is over.</exception>
    SaslStep Next(ReadOnlySpan<byte> message);
}
