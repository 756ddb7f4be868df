using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol.Records;

/// <summary>Bytes that may be null, which is not the same as empty: a null value is a tombstone. <c>default</c> is null.</summary>
[SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "The constructor is the named alternate.")]
public readonly ref struct NullableBytes
{
    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Bytes that are there, even if they are none.</summary>
    public NullableBytes(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        HasValue = true;
    }

    /// <summary>Null.</summary>
    public static NullableBytes Null => default;

    /// <summary>Whether there are bytes, possibly none.</summary>
    public bool HasValue { get; }

    /// <summary>The bytes; empty for null.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The length as a record encodes it: -1 for null.</summary>
    internal int EncodedLength => HasValue ? _bytes.Length : -1;

    /// <summary>Bytes that are there.</summary>
    public static implicit operator NullableBytes(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>The array's bytes, or null for a null array.</summary>
    public static implicit operator NullableBytes(byte[]? bytes) => bytes is null ? default : new NullableBytes(bytes);
}
