using Streams.Core;
using Streams.State.Bytes;
using Xunit;

namespace Streams.State.Tests.Bytes;

public sealed class MemorySharesTests
{
    [Fact]
    public void Nothing_is_given_out_twice()
    {
        var random = new Random(5);
        for (var round = 0; round < 1000; round++)
        {
            var total = (16L << 20) + random.NextInt64(4L << 30);
            var cache = random.NextInt64(total);
            var input = random.NextInt64(total - cache);
            var part = MemoryShares.Part(new StateMemory(total, cache, input));
            Assert.InRange((3 * part) + cache + input, 0, total);
            Assert.InRange(part, 0, total / 4);
        }

        Assert.Equal(64L << 20, MemoryShares.Part(new StateMemory(256L << 20, 10L << 20, 54L << 20)));
    }

    [Fact]
    public void Shares_beyond_the_whole_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new StateMemory(16 << 20, 10 << 20, (6 << 20) + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StateMemory(16 << 20, 0, -1));
    }
}
