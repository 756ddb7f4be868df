using System.Buffers;
using System.Globalization;
using System.Text;

namespace Streams.Core.Tests.Support;

/// <summary>Whole numbers as decimal text, so that raw test records stay readable; anything else is unreadable.</summary>
internal sealed class TextNumberSerde : ISerde<int>
{
    public void Serialize(int value, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture), output);

    public int Deserialize(ReadOnlySpan<byte> data) => int.TryParse(data, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new SerializationException("not a number");
}
