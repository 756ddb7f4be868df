namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>What one partition said, here or on another instance; or that nobody could be found to say anything.</summary>
internal sealed record PartitionAnswer
{
    /// <summary>200 with content, 404 when the key is not in the store, 421 on a hop to an instance that cannot say, 502 or 503 when nobody can.</summary>
    public required int Status { get; init; }

    /// <summary>JSON; empty unless the status is 200.</summary>
    public byte[] Content { get; init; } = [];

    /// <summary>The partition; -1 for a global store.</summary>
    public int Partition { get; init; }

    /// <summary>Whether somebody else than the active task answered.</summary>
    public bool IsStale { get; init; }

    /// <summary>Of a stale answer, records that are missing; <c>null</c> when not known.</summary>
    public long? Lag { get; init; }

    /// <summary>What the answer contains, as the header's text.</summary>
    public string Position { get; init; } = "";

    /// <summary>Why there is no answer.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether a partition answered.</summary>
    public bool IsAnswer => Status is 200 or 404;

    /// <summary>Whether asking again would change nothing.</summary>
    public bool IsFinal => IsAnswer || Status == 502;
}
