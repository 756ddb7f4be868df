using Kafka.Protocol.Records;

namespace Kafka.Protocol.Tests.Records;

public sealed class Crc32CTests
{
    [Fact]
    public void Check_value_is_that_of_the_algorithm() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void Interleaved_chains_agree_with_one_chain_at_every_length()
    {
        var data = new byte[40_000];
        new Random(7).NextBytes(data);
        for (int length = 0; length <= data.Length; length += length < 3000 ? 1 : 611)
        {
            ReadOnlySpan<byte> part = data.AsSpan(data.Length - length);
            Assert.Equal(Crc32C.ComputeSerial(part), Crc32C.Compute(part));
        }
    }

    [Fact]
    public void Append_continues_where_it_left_off()
    {
        var data = new byte[30_000];
        new Random(8).NextBytes(data);
        uint whole = Crc32C.Compute(data);
        foreach (int split in new[] { 0, 1, 768, 12_288, 29_999, 30_000 })
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(data.AsSpan(0, split)), data.AsSpan(split)));
    }
}
