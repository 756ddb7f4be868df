namespace Broker.Lite.Security.Sasl;

/// <summary>
/// Where a connection is in proving who it is: handshake (which mechanism), messages of the mechanism, done; and again before the session
/// ends (KIP-368). Used by one request at a time.
/// </summary>
internal sealed class SaslConversation(SaslServer server)
{
    private ISaslExchange? _exchange;
    private string _mechanism = "";
    private string? _authenticatedMechanism;
    private string? _user;
    private long? _expiresAt;

    /// <summary>The client proved who it is, once at least.</summary>
    public bool IsComplete => _user is not null;

    /// <summary>A mechanism is chosen and not through yet.</summary>
    public bool IsInProgress => _exchange is not null;

    /// <summary>Messages of the mechanism come bare, without Kafka's request header, as after SaslHandshake v0.</summary>
    public bool ExpectsBareMessages { get; private set; }

    /// <summary>The time the client had until it should have authenticated again is over.</summary>
    public bool IsExpired => _expiresAt is { } end && server.Time.GetTimestamp() >= end;

    public IEnumerable<string> Mechanisms => server.Mechanisms;

    /// <summary>Chooses a mechanism; false if there is no such one.</summary>
    /// <exception cref="SaslException">The client authenticates again, with another mechanism.</exception>
    public bool TryBegin(string mechanism, bool bareMessages)
    {
        if (server.Begin(mechanism) is not { } exchange)
            return false;
        if (_authenticatedMechanism is not null && mechanism != _authenticatedMechanism)
            throw new SaslException($"SASL mechanism '{mechanism}' requested by client is not the one it authenticated with before");
        _exchange = exchange;
        _mechanism = mechanism;
        ExpectsBareMessages = bareMessages;
        return true;
    }

    /// <summary>Takes a message of the mechanism.</summary>
    /// <param name="message">As the mechanism defines it.</param>
    /// <param name="sessionLifetime">When the client is through: how long until it must authenticate again; zero for ever.</param>
    /// <exception cref="SaslException">The client failed.</exception>
    public SaslStep Next(ReadOnlySpan<byte> message, out TimeSpan sessionLifetime)
    {
        sessionLifetime = TimeSpan.Zero;
        var step = _exchange!.Next(message);
        if (!step.IsComplete)
            return step;
        if (_user is not null && step.User != _user)
            throw new SaslException("Cannot change principals during re-authentication");

        _exchange = null;
        ExpectsBareMessages = false;
        _authenticatedMechanism = _mechanism;
        _user = step.User;
        sessionLifetime = server.MaxReauth;
        if (step.ValidUntil is { } end)
        {
            // Within the allowed clock skew a token may be over already: then the session is as short as can be said.
            var left = end - server.Time.GetUtcNow();
            left = left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left;
            sessionLifetime = sessionLifetime == TimeSpan.Zero || left < sessionLifetime ? left : sessionLifetime;
        }

        _expiresAt = sessionLifetime == TimeSpan.Zero
            ? null
            : server.Time.GetTimestamp() + (long)Math.Min(sessionLifetime.TotalSeconds * server.Time.TimestampFrequency, long.MaxValue / 2.0);
        return step;
    }
}
