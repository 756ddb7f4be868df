using System.Diagnostics;

namespace Kafka.Protocol.Records;

/// <summary>Walks over the headers of a record, whose lengths the record iterator has already checked.</summary>
public ref struct RecordHeaderIterator
{
    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _end;
    private int _position;
    private int _remaining;
    private RecordHeaderView _current;

    internal RecordHeaderIterator(ReadOnlySpan<byte> buffer, int position, int end)
    {
        _buffer = buffer;
        _end = end;
        _position = position;
        bool read = Varint.TryReadInt32(buffer[..end], ref _position, out _remaining);
        Debug.Assert(read && _remaining >= 0, "the record iterator checked the headers");
    }

    /// <summary>The header that <see cref="MoveNext"/> came to.</summary>
    public readonly RecordHeaderView Current => _current;

    /// <summary>Lets <c>foreach</c> walk over the headers.</summary>
    public readonly RecordHeaderIterator GetEnumerator() => this;

    /// <summary>Moves to the next header; false after the last.</summary>
    public bool MoveNext()
    {
        if (_remaining == 0)
            return false;
        _remaining--;
        ReadOnlySpan<byte> record = _buffer[.._end];
        Varint.TryReadInt32(record, ref _position, out int keyLength);
        int keyPosition = _position;
        _position += keyLength;
        Varint.TryReadInt32(record, ref _position, out int valueLength);
        int valuePosition = _position;
        _position += Math.Max(valueLength, 0);
        _current = new RecordHeaderView(_buffer, keyPosition, keyLength, valuePosition, valueLength);
        return true;
    }
}
