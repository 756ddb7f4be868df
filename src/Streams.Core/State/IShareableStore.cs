namespace Streams.Core;

/// <summary>A store that, although made for one thread, can be looked into by others: a global store is written by one thread and read by all, and queries read any.</summary>
internal interface IShareableStore
{
    /// <summary>A view of the store in which every call, and every step of an iterator, holds the gate.</summary>
    /// <param name="gate">The one gate of the store; all its views get the same.</param>
    /// <param name="writable">Whether the view takes writes; one that does not throws <see cref="InvalidOperationException"/>.</param>
    IStateStore Share(StoreGate gate, bool writable);
}
