using System.Diagnostics;

namespace Streams.State.Suppression;

/// <summary>Bytes that may be absent, in an array that is written again when it is large enough.</summary>
internal struct ByteSlot
{
    private byte[]? _bytes;
    private int _length;

    public readonly bool IsPresent => _length > 0;

    public readonly int Length => Math.Max(0, _length - 1);

    public readonly ReadOnlySpan<byte> Span => IsPresent ? _bytes.AsSpan(0, _length - 1) : default;

    public void Set(ReadOnlySpan<byte> bytes, bool isPresent)
    {
        if (!isPresent)
        {
            _length = 0;
            return;
        }

        Debug.Assert(bytes.Length < int.MaxValue, "values are bounded far below");
        if (_bytes is null || _bytes.Length < bytes.Length) _bytes = bytes.ToArray();
        else bytes.CopyTo(_bytes);
        _length = bytes.Length + 1;
    }

    public readonly bool HasSameBytes(in ByteSlot other) => IsPresent == other.IsPresent && Span.SequenceEqual(other.Span);
}
