namespace Streams.State.Shared;

/// <summary>View of a window store with timestamps for several threads.</summary>
internal sealed class SharedTimestampedWindowStore<K, V>(ITimestampedWindowStore<K, V> store, StoreGate gate, bool writable)
    : SharedWindowStore<K, ValueAndTimestamp<V>>(store, gate, writable), ITimestampedWindowStore<K, V>;
