namespace Streams.State.Suppression;

/// <summary>A key's change while it is held back.</summary>
internal sealed class HeldChange(byte[] key, long time)
{
    public ByteSlot Prior;
    public ByteSlot Old;
    public ByteSlot New;
    public RecordCoordinates Coordinates;
    public Headers? Headers;
    public long Timestamp;

    public byte[] Key { get; } = key;

    public long Time { get; } = time;

    /// <summary>What Kafka counts: key and time, values (an old one that is the prior one only once), context.</summary>
    public long SizeBytes
    {
        get
        {
            long size = sizeof(long) + Key.Length + Prior.Length + New.Length + (3 * sizeof(long)) - sizeof(int) + Coordinates.Topic.Length;
            if (Old.IsPresent && !Old.HasSameBytes(in Prior)) size += Old.Length;
            for (var i = 0; i < Headers?.Count; i++) size += Headers[i].Key.Length + (Headers[i].Value?.Length ?? 0);
            return size;
        }
    }
}

/// <summary>By time, then key bytes.</summary>
internal sealed class HeldChangeOrder : IComparer<HeldChange>
{
    public int Compare(HeldChange? x, HeldChange? y) =>
        x!.Time != y!.Time ? x.Time.CompareTo(y.Time) : x.Key.AsSpan().SequenceCompareTo(y.Key);
}

/// <summary>Keys by their bytes, found by spans too.</summary>
internal sealed class ByteKeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => unchecked((int)Bytes.KeyHash.Of(alternate));

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
