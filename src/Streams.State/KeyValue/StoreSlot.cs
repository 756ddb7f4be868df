namespace Streams.State.KeyValue;

/// <summary>Where a key was found, so that writing it right after costs no second look-up. Stale ones are noticed and looked up again.</summary>
internal readonly record struct StoreSlot(int Id, uint Hash, int Operation);
