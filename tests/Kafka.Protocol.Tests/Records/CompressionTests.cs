using System.Runtime.InteropServices;
using System.Text;
using Kafka.Protocol.Records;

namespace Kafka.Protocol.Tests.Records;

public sealed class CompressionTests
{
    private const int MaxBytes = 8 << 20;

    public static TheoryData<CompressionType> Codecs =>
        [CompressionType.None, CompressionType.Gzip, CompressionType.Snappy, CompressionType.Lz4, CompressionType.Zstd];

    public static TheoryData<CompressionType> CompressingCodecs =>
        [CompressionType.Gzip, CompressionType.Snappy, CompressionType.Lz4, CompressionType.Zstd];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Round_trip_gives_the_same_bytes(CompressionType type)
    {
        var random = new Random(1);
        foreach (int length in new[] { 0, 1, 4, 5, 11, 12, 13, 14, 60, 61, 255, 256, 1000, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 300_000 })
        {
            foreach (int alphabet in new[] { 1, 2, 20, 256 })
            {
                byte[] data = Generate(random, length, alphabet);
                using var compressed = new PooledBuffer(MaxBytes);
                Compression.Compress(type, data, compressed);
                using PooledBuffer restored = Compression.Decompress(type, compressed.WrittenSpan, Math.Max(length, 1));
                Assert.True(restored.WrittenSpan.SequenceEqual(data), $"{type}, {length} bytes of {alphabet} values, seed 1");
            }
        }
    }

    [Theory]
    [MemberData(nameof(CompressingCodecs))]
    public void Repetitive_text_becomes_smaller(CompressionType type)
    {
        byte[] data = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 3000).Select(i => $"user-{i % 97} clicked on page {i % 13}; ")));
        using var compressed = new PooledBuffer(MaxBytes);
        Compression.Compress(type, data, compressed);
        Assert.InRange(compressed.Length, 1, data.Length / 3);
    }

    [Theory]
    [MemberData(nameof(CompressingCodecs))]
    public void Bomb_is_refused_at_the_bound(CompressionType type)
    {
        using var compressed = new PooledBuffer(64 << 20);
        Compression.Compress(type, new byte[32 << 20], compressed);
        byte[] bomb = compressed.WrittenSpan.ToArray();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProtocolException>(() => Compression.Decompress(type, bomb, 1 << 20));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);

        using PooledBuffer whole = Compression.Decompress(type, bomb, 32 << 20);
        Assert.Equal(32 << 20, whole.Length);
    }

    [Theory]
    [MemberData(nameof(CompressingCodecs))]
    public void Truncated_data_is_refused_or_a_prefix(CompressionType type)
    {
        byte[] data = Generate(new Random(3), 5000, 20);
        using var compressed = new PooledBuffer(MaxBytes);
        Compression.Compress(type, data, compressed);
        byte[] whole = compressed.WrittenSpan.ToArray();
        for (int length = 0; length < whole.Length; length++)
        {
            try
            {
                using PooledBuffer restored = Compression.Decompress(type, whole.AsSpan(0, length), MaxBytes);

                // Formats without an end mark cannot know; what they give must then be right as far as it goes.
                Assert.True(restored.Length <= data.Length && restored.WrittenSpan.SequenceEqual(data.AsSpan(0, restored.Length)), $"{type} cut at {length}");
            }
            catch (ProtocolException)
            {
            }
        }
    }

    [Theory]
    [MemberData(nameof(CompressingCodecs))]
    public void Mutated_data_gives_only_protocol_exceptions(CompressionType type)
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            using var compressed = new PooledBuffer(MaxBytes);
            Compression.Compress(type, Generate(random, random.Next(1, 400), random.Next(1, 40)), compressed);
            byte[] hostile = compressed.WrittenSpan.ToArray();
            for (int i = random.Next(1, 5); i > 0; i--)
                hostile[random.Next(hostile.Length)] = (byte)random.Next(256);
            DecompressHostile(type, hostile, seed);
        }
    }

    [Theory]
    [MemberData(nameof(CompressingCodecs))]
    public void Random_bytes_give_only_protocol_exceptions(CompressionType type)
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var hostile = new byte[random.Next(0, 60)];
            random.NextBytes(hostile);
            DecompressHostile(type, hostile, seed);
        }
    }

    [Fact]
    public void Unknown_codec_is_refused() => Assert.Throws<ProtocolException>(() => Compression.Decompress((CompressionType)5, [1, 2, 3], 100));

    [Fact]
    public void Snappy_block_without_framing_is_read()
    {
        byte[] data = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("bare snappy ", 500)));
        var block = new byte[Snappy.MaxCompressedBytes(data.Length)];
        int length = Snappy.CompressBlock(data, block, new ushort[1 << 13]);
        using PooledBuffer restored = Compression.Decompress(CompressionType.Snappy, block.AsSpan(0, length), data.Length);
        Assert.True(restored.WrittenSpan.SequenceEqual(data));
    }

    [Fact]
    public void Snappy_block_that_claims_too_much_is_refused_before_memory_is_taken()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProtocolException>(() => Compression.Decompress(CompressionType.Snappy, [0xFF, 0xFF, 0xFF, 0x3F, 0], MaxBytes * 16));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Snappy_agrees_with_the_reference_library_in_both_directions()
    {
        if (!NativeLibrary.TryLoad("libsnappy.so.1", out nint library))
            Assert.Skip("libsnappy is not installed");
        var random = new Random(11);
        for (int i = 0; i < 300; i++)
        {
            byte[] data = Generate(random, random.Next(1, 60_000), random.Next(1, 256));
            var ours = new byte[Snappy.MaxCompressedBytes(data.Length)];
            int length = Snappy.CompressBlock(data, ours, new ushort[1 << 13]);
            Assert.Equal(data, ReferenceCodecs.SnappyUncompress(library, ours.AsSpan(0, length), data.Length));
            using PooledBuffer restored = Compression.Decompress(CompressionType.Snappy, ReferenceCodecs.SnappyCompress(library, data), data.Length);
            Assert.True(restored.WrittenSpan.SequenceEqual(data), $"round {i}, seed 11");
        }
    }

    [Fact]
    public void Lz4_agrees_with_the_reference_library_in_both_directions()
    {
        if (!NativeLibrary.TryLoad("liblz4.so.1", out nint library))
            Assert.Skip("liblz4 is not installed");
        var random = new Random(12);
        for (int i = 0; i < 300; i++)
        {
            byte[] data = Generate(random, random.Next(1, 200_000), random.Next(1, 256));
            using var ours = new PooledBuffer(MaxBytes);
            Compression.Compress(CompressionType.Lz4, data, ours);
            Assert.Equal(data, ReferenceCodecs.Lz4FrameDecompress(library, ours.WrittenSpan, data.Length));

            // Linked blocks, and every checksum there is.
            byte[] theirs = ReferenceCodecs.Lz4FrameCompress(library, data, linked: i % 2 == 0, checksums: i % 3 == 0, contentSize: i % 5 == 0);
            using PooledBuffer restored = Compression.Decompress(CompressionType.Lz4, theirs, data.Length);
            Assert.True(restored.WrittenSpan.SequenceEqual(data), $"round {i}, seed 12");
        }
    }

    [Fact]
    public void Lz4_frame_with_a_wrong_checksum_is_refused()
    {
        using var compressed = new PooledBuffer(MaxBytes);
        Compression.Compress(CompressionType.Lz4, "some data"u8, compressed);
        byte[] frame = compressed.WrittenSpan.ToArray();
        frame[6] ^= 1;
        Assert.Throws<ProtocolException>(() => Compression.Decompress(CompressionType.Lz4, frame, MaxBytes));
    }

    [Fact]
    public void XxHash32_gives_its_published_values()
    {
        Assert.Equal(0x02CC5D05u, XxHash32.Compute([]));
        Assert.Equal(0x32D153FFu, XxHash32.Compute("abc"u8));
        Assert.Equal(0xE2293B2Fu, XxHash32.Compute("Nobody inspects the spammish repetition"u8));
    }

    [Fact]
    public void Levels_are_accepted()
    {
        byte[] data = Generate(new Random(5), 20_000, 12);
        foreach (CompressionType type in new[] { CompressionType.Gzip, CompressionType.Lz4, CompressionType.Zstd })
        {
            foreach (int level in new[] { 1, 6, 9 })
            {
                using var compressed = new PooledBuffer(MaxBytes);
                Compression.Compress(type, data, compressed, level);
                using PooledBuffer restored = Compression.Decompress(type, compressed.WrittenSpan, data.Length);
                Assert.True(restored.WrittenSpan.SequenceEqual(data));
            }
        }
    }

    private static void DecompressHostile(CompressionType type, byte[] hostile, int seed)
    {
        try
        {
            using PooledBuffer restored = Compression.Decompress(type, hostile, 64 * 1024);
            Assert.InRange(restored.Length, 0, 64 * 1024);
        }
        catch (ProtocolException)
        {
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{type}, seed {seed}: {e}");
        }
    }

    /// <summary>Bytes with repeats of earlier parts in them, so that every kind of match occurs.</summary>
    private static byte[] Generate(Random random, int length, int alphabet)
    {
        var data = new byte[length];
        int position = 0;
        while (position < length)
        {
            int run = Math.Min(length - position, random.Next(1, 200));
            if (position > 0 && random.Next(2) == 0)
            {
                int from = random.Next(position);
                for (int i = 0; i < run; i++)
                    data[position + i] = data[from + i];
            }
            else
            {
                for (int i = 0; i < run; i++)
                    data[position + i] = (byte)random.Next(alphabet);
            }

            position += run;
        }

        return data;
    }
}
