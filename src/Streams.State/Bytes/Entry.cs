using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State.Bytes;

/// <summary>
/// A key and what it maps to: the value itself where its type is immutable, else its bytes in the arena. Short keys are kept in the entry: with a hundred thousand
/// keys and more, each place in memory that a look-up must visit costs as much as everything else together.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct Entry<T>
{
    public T Typed;
    public KeyCell Key;
    public int KeyLength;
    public uint Value;
    public int ValueLength;

    /// <summary>Number of the commit interval in which it was last written: says whether its bytes were counted as uncommitted.</summary>
    public int WrittenIn;

    public EntryFlags Flags;

    public readonly bool Has(EntryFlags flags) => (Flags & flags) != 0;
}

/// <summary>The bytes of a key of up to 16, or the arena's handle of a longer one in the first four.</summary>
[InlineArray(Capacity)]
internal struct KeyCell
{
    public const int Capacity = 16;

    private byte _first;
}
