using System.Collections;
using System.Text;

namespace Streams.Core;

/// <summary>One record header: a name and bytes, which may be absent.</summary>
/// <param name="Key">Name; never null, may repeat within a record.</param>
/// <param name="Value">Payload; <c>null</c> is a null header value, which Kafka allows.</param>
public readonly record struct Header(string Key, ReadOnlyMemory<byte>? Value)
{
    /// <summary>The payload read as UTF-8, <c>null</c> for a null payload.</summary>
    public string? ValueAsString() => Value is { } value ? Encoding.UTF8.GetString(value.Span) : null;
}

/// <summary>
/// The headers of a record, in order. Immutable, so records may share them: <see cref="Add(string, ReadOnlyMemory{byte}?)"/> and
/// <see cref="Remove"/> give new instances.
/// </summary>
public sealed class Headers : IReadOnlyList<Header>
{
    /// <summary>No headers.</summary>
    public static readonly Headers Empty = new([]);

    private readonly Header[] _headers;

    private Headers(Header[] headers) => _headers = headers;

    /// <inheritdoc/>
    public int Count => _headers.Length;

    /// <inheritdoc/>
    public Header this[int index] => _headers[index];

    /// <summary>Headers in the given order.</summary>
    public static Headers From(IEnumerable<Header> headers)
    {
        var array = headers.ToArray();
        return array.Length == 0 ? Empty : new Headers(array);
    }

    /// <summary>These headers and one more at the end.</summary>
    public Headers Add(string key, ReadOnlyMemory<byte>? value)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new Headers([.. _headers, new Header(key, value)]);
    }

    /// <summary>These headers and one more at the end, its text as UTF-8.</summary>
    public Headers Add(string key, string value) => Add(key, Encoding.UTF8.GetBytes(value));

    /// <summary>These headers without those of the given name.</summary>
    public Headers Remove(string key) => From(_headers.Where(header => header.Key != key));

    /// <summary>The last header of the given name, as Kafka's <c>lastHeader</c>; false when there is none.</summary>
    public bool TryGetLast(string key, out Header header)
    {
        for (var index = _headers.Length - 1; index >= 0; index--)
        {
            if (_headers[index].Key == key)
            {
                header = _headers[index];
                return true;
            }
        }

        header = default;
        return false;
    }

    /// <inheritdoc/>
    public IEnumerator<Header> GetEnumerator() => ((IEnumerable<Header>)_headers).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => "[" + string.Join(", ", _headers.Select(header => $"{header.Key}={header.ValueAsString() ?? "null"}")) + "]";
}
