namespace Streams.State.Shared;

/// <summary>View of a key-value store with timestamps for several threads.</summary>
internal sealed class SharedTimestampedKeyValueStore<K, V>(ITimestampedKeyValueStore<K, V> store, StoreGate gate, bool writable)
    : SharedKeyValueStore<K, ValueAndTimestamp<V>>(store, gate, writable), ITimestampedKeyValueStore<K, V>;
