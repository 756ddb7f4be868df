namespace Streams.State.Bytes;

/// <summary>What is known of an entry in memory.</summary>
[Flags]
internal enum EntryFlags : byte
{
    None = 0,

    /// <summary>The slot holds an entry.</summary>
    Live = 1,

    /// <summary>The key has a value; without it the entry says that the key has none.</summary>
    Present = 2,

    /// <summary>The engine below does not have it yet.</summary>
    Unapplied = 4,

    /// <summary>The record cache holds it back from changelog and downstream.</summary>
    Held = 8,

    /// <summary>Used since the eviction hand passed.</summary>
    Referenced = 16,
}
