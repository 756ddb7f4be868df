namespace Streams.State.Segments;

/// <summary>Walks entries of a segmented store.</summary>
internal abstract class EntryCursor<T>
{
    /// <summary>The current entry's key as the changelog has it: without segment; valid until the next move.</summary>
    public abstract ReadOnlySpan<byte> Key { get; }

    /// <summary>The current entry's value.</summary>
    public abstract T Value { get; }

    public abstract bool MoveNext();

    /// <summary>Says that the walk is over: what it holds goes back.</summary>
    public abstract void Return();
}
