namespace RandomTopologies;

/// <summary>
/// What a random topology may contain, so that a property holds for it by the rules of Kafka Streams: an operator is left out only where two
/// runs may rightly differ.
/// </summary>
internal sealed record Allowed
{
    /// <summary>Almost everything; but a window that is to be sent when it closes may have expired in memory by then, and on disk not yet.</summary>
    public static readonly Allowed SameInAnyStore = new() { EmitOnClose = false };

    /// <summary>
    /// Results that do not depend on how far time has come in one partition, on what other keys share it, or on which of two ways through
    /// repartition topics is faster.
    /// </summary>
    public static readonly Allowed SameOnPartitions = new()
    {
        StreamTime = false, Punctuation = false, WholePartition = false, SharedAncestry = false, KeyChangeAfterFanOut = false, ForeignKeys = false,
        RepartitionCounts = false, WallClock = false,
    };

    /// <summary>Results that the last value per key determines: a cache leaves out the values in between, and what looks at each of them sees fewer.</summary>
    public static readonly Allowed SameWithCaching = new()
    {
        StreamTime = false, Punctuation = false, WholePartition = false, SharedAncestry = false, EachTableUpdate = false, ForeignKeys = false,
        WallClock = false,
    };

    /// <summary>Results that do not depend on what processors keep in fields: schedules start anew, and a late record may be taken again (E-25).</summary>
    public static readonly Allowed SameAfterRestart = new() { Punctuation = false, LateRecords = false };

    /// <summary>Both of these: on a broker sub-topologies run as they come, and its records are restored from topics.</summary>
    public static readonly Allowed SameOnBroker = SameOnPartitions with { LateRecords = false };

    /// <summary>Operators that act when stream time has come far enough: suppress, emit on close, stream joins with non-matches, short grace.</summary>
    public bool StreamTime { get; private init; } = true;

    /// <summary>Windowed results that are sent when their window closes.</summary>
    public bool EmitOnClose { get; private init; } = true;

    /// <summary>Processors with schedules.</summary>
    public bool Punctuation { get; private init; } = true;

    /// <summary>Processors that look at all keys of their partition, or at offsets.</summary>
    public bool WholePartition { get; private init; } = true;

    /// <summary>Joins and merges of two streams that come from the same topic.</summary>
    public bool SharedAncestry { get; private init; } = true;

    /// <summary>A new key after one record became several of different keys.</summary>
    public bool KeyChangeAfterFanOut { get; private init; } = true;

    /// <summary>Operators that see each update of a table, not only its last.</summary>
    public bool EachTableUpdate { get; private init; } = true;

    /// <summary>Foreign-key joins, which answer a record through two topics.</summary>
    public bool ForeignKeys { get; private init; } = true;

    /// <summary>Repartition topics with a number of partitions of their own.</summary>
    public bool RepartitionCounts { get; private init; } = true;

    /// <summary>Moves of the wall clock between records.</summary>
    public bool WallClock { get; private init; } = true;

    /// <summary>Records older than those before them.</summary>
    public bool LateRecords { get; private init; } = true;
}
