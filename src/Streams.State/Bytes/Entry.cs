using System.Runtime.InteropServices;

namespace Streams.State.Bytes;

/// <summary>A key and what it maps to: the value itself where its type is immutable, else its bytes in the arena.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Entry<T>
{
    public T Typed;
    public uint Hash;
    public uint Key;
    public int KeyLength;
    public uint Value;
    public int ValueLength;

    /// <summary>Number of the commit interval in which it was last written: says whether its bytes were counted as uncommitted.</summary>
    public int WrittenIn;

    public EntryFlags Flags;

    public readonly bool Has(EntryFlags flags) => (Flags & flags) != 0;
}
