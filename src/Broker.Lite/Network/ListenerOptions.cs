using Broker.Lite.Security;
using Broker.Lite.Security.Sasl;
using Broker.Lite.Security.Tls;

namespace Broker.Lite.Network;

/// <summary>The settings a <see cref="Listener"/> follows.</summary>
internal sealed record ListenerOptions
{
    public required ListenerDefinition Definition { get; init; }

    /// <summary>Null without TLS.</summary>
    public TlsServer? Tls { get; init; }

    /// <summary>Null without SASL.</summary>
    public SaslServer? Sasl { get; init; }

    /// <summary>The most connections of this listener; there are other limits over all of them.</summary>
    public required int MaxConnections { get; init; }

    public required int MaxRequestBytes { get; init; }

    /// <summary>
    /// A connection on which nothing happens for this long is closed, also in the middle of a request it does not finish.
    /// </summary>
    public required TimeSpan MaxIdle { get; init; }

    /// <summary>How long the answer to a failed authentication is held back.</summary>
    public required TimeSpan FailedAuthenticationDelay { get; init; }
}
