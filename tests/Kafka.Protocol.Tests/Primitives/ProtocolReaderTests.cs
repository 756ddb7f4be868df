namespace Kafka.Protocol.Tests.Primitives;

public sealed class ProtocolReaderTests
{
    [Theory]
    [InlineData("00", 0u)]
    [InlineData("7F", 127u)]
    [InlineData("8001", 128u)]
    [InlineData("FF7F", 16383u)]
    [InlineData("FFFFFFFF0F", uint.MaxValue)]
    public void Unsigned_varint_is_seven_bits_a_byte(string hex, uint value)
    {
        var reader = new ProtocolReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.ReadUnsignedVarint());
        Assert.Equal(0, reader.Remaining);

        using var writer = new ProtocolWriter();
        writer.WriteUnsignedVarint(value);
        Assert.Equal(hex, Convert.ToHexString(writer.ToArray()));
    }

    [Theory]
    [InlineData("00", 0)]
    [InlineData("01", -1)]
    [InlineData("02", 1)]
    [InlineData("03", -2)]
    [InlineData("FEFFFFFF0F", int.MaxValue)]
    [InlineData("FFFFFFFF0F", int.MinValue)]
    public void Varint_is_zigzag(string hex, int value)
    {
        var reader = new ProtocolReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.ReadVarint());

        using var writer = new ProtocolWriter();
        writer.WriteVarint(value);
        Assert.Equal(hex, Convert.ToHexString(writer.ToArray()));
    }

    [Theory]
    [InlineData("00", 0L)]
    [InlineData("01", -1L)]
    [InlineData("FEFFFFFFFFFFFFFFFF01", long.MaxValue)]
    [InlineData("FFFFFFFFFFFFFFFFFF01", long.MinValue)]
    public void Varlong_is_zigzag_of_up_to_ten_bytes(string hex, long value)
    {
        var reader = new ProtocolReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.ReadVarlong());

        using var writer = new ProtocolWriter();
        writer.WriteVarlong(value);
        Assert.Equal(hex, Convert.ToHexString(writer.ToArray()));
    }

    [Theory]
    [InlineData("FFFFFFFF10")]     // a 33rd bit
    [InlineData("FFFFFFFFFF")]     // a sixth byte
    [InlineData("808080808000")]   // zero in six bytes
    [InlineData("80")]             // no last byte
    [InlineData("")]
    public void Unsigned_varint_that_is_too_long_or_cut_is_refused(string hex) =>
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new ProtocolReader(Convert.FromHexString(hex));
            reader.ReadUnsignedVarint();
        });

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFFF02")]
    [InlineData("FFFFFFFFFFFFFFFFFFFF01")]
    [InlineData("FFFFFFFFFFFFFFFFFF")]
    public void Varlong_that_is_too_long_or_cut_is_refused(string hex) =>
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new ProtocolReader(Convert.FromHexString(hex));
            reader.ReadVarlong();
        });

    [Fact]
    public void Fixed_width_numbers_are_big_endian()
    {
        var reader = new ProtocolReader(Convert.FromHexString("80" + "8001" + "FFFE" + "80000001" + "FFFFFFFE" + "8000000000000001" + "3FF8000000000000" + "02"));
        Assert.Equal(sbyte.MinValue, reader.ReadInt8());
        Assert.Equal(-32767, reader.ReadInt16());
        Assert.Equal(65534, reader.ReadUInt16());
        Assert.Equal(-2147483647, reader.ReadInt32());
        Assert.Equal(4294967294u, reader.ReadUInt32());
        Assert.Equal(-9223372036854775807L, reader.ReadInt64());
        Assert.Equal(1.5, reader.ReadFloat64());
        Assert.True(reader.ReadBoolean());
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Uuid_text_agrees_with_its_bytes()
    {
        var reader = new ProtocolReader(Convert.FromHexString("0123456789ABCDEF0123456789ABCDEF"));
        Assert.Equal("01234567-89ab-cdef-0123-456789abcdef", reader.ReadUuid().ToString());
    }

    [Fact]
    public void String_that_is_not_utf8_is_replaced_not_refused()
    {
        var reader = new ProtocolReader(Convert.FromHexString("0003" + "61FF62"));
        Assert.Equal("a\uFFFDb", reader.ReadString(compact: false));
    }

    [Theory]
    [InlineData("FFFF", false)]   // null
    [InlineData("FFFE", false)]   // -2
    [InlineData("0002" + "61", false)]
    [InlineData("7FFF" + "61", false)]
    [InlineData("00", true)]      // null
    [InlineData("03" + "61", true)]
    [InlineData("FFFFFFFF0F" + "61", true)]
    public void String_that_is_null_negative_or_longer_than_the_rest_is_refused(string hex, bool compact) =>
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new ProtocolReader(Convert.FromHexString(hex));
            reader.ReadString(compact);
        });

    [Fact]
    public void Compact_string_longer_than_a_plain_one_could_be_is_refused()
    {
        var bytes = new byte[40_000];
        var length = (uint)ProtocolReader.MaxStringBytes + 2;
        bytes[0] = (byte)(length | 0x80);
        bytes[1] = (byte)((length >> 7) | 0x80);
        bytes[2] = (byte)(length >> 14);
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new ProtocolReader(bytes);
            reader.ReadString(compact: true);
        });
    }

    [Theory]
    [InlineData("7FFFFFFF", false)]
    [InlineData("80000000", false)]
    [InlineData("00000002", false)]
    [InlineData("FFFFFFFF0F", true)]
    [InlineData("03", true)]
    public void Lengths_beyond_the_frame_are_refused_for_bytes_and_arrays(string length, bool compact)
    {
        var bytes = Convert.FromHexString(length + "00");
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadNullableBytes(compact)));
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadRecords(compact)));
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadNullableInt32Array(compact)));
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadInt64Array(compact)));
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadInt8Array(compact)));
        Assert.Throws<ProtocolException>(() => Run(bytes, (ref ProtocolReader r) => r.ReadNullableStringArray(compact)));
    }

    [Fact]
    public void Bytes_are_copied_and_records_are_not()
    {
        var frame = Convert.FromHexString("00000001AA" + "00000001BB");
        var reader = new ProtocolReader(frame);
        var bytes = reader.ReadBytes(compact: false);
        var records = reader.ReadRecords(compact: false);
        Array.Clear(frame);

        Assert.Equal(0xAA, bytes.Span[0]);
        Assert.Equal(0, records!.Value.Span[0]);
    }

    [Fact]
    public void Tagged_field_confines_what_is_read_in_it()
    {
        // One tag of one byte, while reading an int32 would run into what follows.
        Assert.Throws<ProtocolException>(() => Run(Convert.FromHexString("00" + "01" + "00" + "01020304"), (ref ProtocolReader r) =>
        {
            r.EnterTaggedField(out _);
            return r.ReadInt32();
        }));
    }

    [Fact]
    public void Tagged_field_read_short_of_its_size_is_refused() =>
        Assert.Throws<ProtocolException>(() => Run(Convert.FromHexString("00" + "05" + "0102030405"), (ref ProtocolReader r) =>
        {
            r.EnterTaggedField(out var outerEnd);
            var value = r.ReadInt32();
            r.LeaveTaggedField(outerEnd);
            return value;
        }));

    [Theory]
    [InlineData("01" + "05" + "02" + "AA")]                // size beyond the frame
    [InlineData("02" + "05" + "01" + "AA")]                // one tag missing
    [InlineData("FFFFFFFF0F" + "0500")]                    // four billion tags
    [InlineData("01" + "05" + "FFFFFFFF0F" + "AA")]        // four gigabytes
    public void Tagged_sections_that_do_not_fit_are_refused(string hex) =>
        Assert.Throws<ProtocolException>(() => Run(Convert.FromHexString(hex), (ref ProtocolReader r) =>
        {
            r.SkipTaggedFields();
            return 0;
        }));

    private delegate T ReadFunction<T>(ref ProtocolReader reader);

    private static T Run<T>(byte[] bytes, ReadFunction<T> read)
    {
        var reader = new ProtocolReader(bytes);
        return read(ref reader);
    }
}
