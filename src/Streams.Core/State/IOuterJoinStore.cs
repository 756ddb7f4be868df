namespace Streams.Core;

/// <summary>
/// Records of a left or outer join of two streams that have found no partner yet. Several may wait under one side, key and time.
/// </summary>
/// <remarks>
/// Key: 8 bytes time, 1 byte side (0 right, 1 left), key; value: a list of (1 byte side, value), which grows with every put. Source: Kafka's
/// <c>TimestampedKeyAndJoinSide</c>, <c>LeftOrRightValue</c> and <c>ListValueStore</c>.
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="VL">Value type of the left stream.</typeparam>
/// <typeparam name="VRight">Value type of the right stream.</typeparam>
internal interface IOuterJoinStore<K, VL, VRight> : IStateStore
{
    /// <summary>Lets a record of the left stream wait.</summary>
    void PutLeft(K key, long timestamp, VL value);

    /// <summary>Lets a record of the right stream wait.</summary>
    void PutRight(K key, long timestamp, VRight value);

    /// <summary>Forgets all records of a side, key and time because they have a partner; logs nothing when none waits.</summary>
    void RemoveIfPresent(bool isLeft, K key, long timestamp);

    /// <summary>Forgets all records of a side, key and time, known to be there; safe while <see cref="All"/> is walked.</summary>
    void Delete(bool isLeft, K key, long timestamp);

    /// <summary>What waits: by time, right before left, key bytes, then order of putting. Dispose the iterator.</summary>
    IOuterJoinIterator<K, VL, VRight> All();
}

/// <summary>Walks the records that wait for a partner.</summary>
internal interface IOuterJoinIterator<K, VL, VRight> : IDisposable
{
    /// <summary>Goes to the next record; false at the end. Call it before the first <see cref="Key"/>.</summary>
    bool MoveNext();

    K Key { get; }

    /// <summary>Unix milliseconds.</summary>
    long Timestamp { get; }

    bool IsLeft { get; }

    /// <summary>The value, if <see cref="IsLeft"/>.</summary>
    VL Left { get; }

    /// <summary>The value, unless <see cref="IsLeft"/>.</summary>
    VRight Right { get; }
}
