namespace Broker.Lite.Coordination;

/// <summary>The broker settings that the transaction coordinator follows; units in the names.</summary>
internal sealed record TransactionOptions
{
    public required int MaxTimeoutMs { get; init; }

    public required long IdExpirationMs { get; init; }

    public required long IdExpirationCheckIntervalMs { get; init; }
}
