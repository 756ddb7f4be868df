namespace Broker.Lite.Security.Sasl;

/// <summary>A client did not prove who it is. The message is sent to the client and logged: it must not hold anything secret.</summary>
internal sealed class SaslException(string message) : Exception(message)
{
    /// <summary>The one message for wrong names and wrong passwords, so that it does not tell which names exist.</summary>
    public static SaslException InvalidCredentials(string mechanism) => new($"Authentication failed during authentication due to invalid credentials with SASL mechanism {mechanism}");
}
