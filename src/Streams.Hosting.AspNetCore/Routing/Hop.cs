namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>Whether a request comes from another instance, and who may answer it. One that does is never sent on: routes of two instances that disagree cannot make a loop.</summary>
internal enum Hop
{
    /// <summary>It comes from outside.</summary>
    None,

    /// <summary>Another instance asks for the active task's answer.</summary>
    Active,

    /// <summary>Another instance takes the answer of a standby, too.</summary>
    Any,
}

/// <summary>Names of headers.</summary>
internal static class StoreHeaders
{
    /// <summary>On a request: it comes from another instance; <c>active</c> or <c>any</c>.</summary>
    public const string Hop = "Streams-Hop";

    /// <summary>On an answer: the partition that answered.</summary>
    public const string Partition = "Streams-Partition";

    /// <summary>On an answer: <c>true</c> when it is a standby's, or that of a store being restored.</summary>
    public const string Stale = "Streams-Stale";

    /// <summary>On a stale answer: changelog records that it does not contain yet, where known.</summary>
    public const string Lag = "Streams-Lag";

    /// <summary>On an answer: the input that it contains, <c>topic:partition=offset,…</c>; on a request: what the answer has to contain.</summary>
    public const string Position = "Streams-Position";

    public static Hop HopOf(string? value) => value switch
    {
        null or "" => Routing.Hop.None,
        "any" => Routing.Hop.Any,
        _ => Routing.Hop.Active,
    };
}
