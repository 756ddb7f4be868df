namespace Broker.Lite.Security.Sasl;

/// <summary>What a mechanism answers: a message, and, once it is satisfied, who the client is and until when.</summary>
internal readonly record struct SaslStep(byte[] Answer, string? User = null, DateTimeOffset? ValidUntil = null)
{
    /// <summary>Whether the client has proved who it is.</summary>
    public bool IsComplete => User is not null;
}
