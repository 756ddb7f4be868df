namespace Broker.Lite.Security;

/// <summary>What a listener speaks beneath Kafka's protocol (Kafka: <c>SecurityProtocol</c>).</summary>
internal enum SecurityProtocol
{
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}
