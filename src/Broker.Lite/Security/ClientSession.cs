using Broker.Lite.Security.Sasl;

namespace Broker.Lite.Security;

/// <summary>
/// Who is at the other end of a connection, as far as it has been proved. One per connection, used by one request at a time.
/// </summary>
internal sealed class ClientSession
{
    private ClientSession(string listener, SecurityProtocol protocol, SaslServer? sasl, bool isTrusted)
    {
        ListenerName = listener;
        Protocol = protocol;
        Sasl = sasl is null ? null : new SaslConversation(sasl);
        IsTrusted = isTrusted;
        Principal = KafkaPrincipal.Anonymous;
    }

    public string ListenerName { get; }

    public SecurityProtocol Protocol { get; }

    /// <summary>True for callers in the same process: they could reach everything anyway, so nothing is asked of them.</summary>
    public bool IsTrusted { get; }

    /// <summary>Whom requests are served for.</summary>
    public KafkaPrincipal Principal { get; set; }

    /// <summary>The SASL side of the connection; null where the listener has none.</summary>
    public SaslConversation? Sasl { get; }

    /// <summary>Whether requests other than those for authentication are served.</summary>
    public bool IsAuthenticated => Sasl is null || Sasl.IsComplete;

    public static ClientSession ForLocal() => new("LOCAL", SecurityProtocol.Plaintext, null, isTrusted: true);

    public static ClientSession ForListener(string listener, SecurityProtocol protocol, SaslServer? sasl) => new(listener, protocol, sasl, isTrusted: false);
}
