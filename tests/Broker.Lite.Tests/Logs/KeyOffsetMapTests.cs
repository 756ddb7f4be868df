using System.Buffers.Binary;
using Broker.Lite.Logs;

namespace Broker.Lite.Tests.Logs;

/// <summary>The memory of keys that compaction works with.</summary>
public sealed class KeyOffsetMapTests
{
    [Fact]
    public void Every_key_is_found_with_its_last_offset_while_the_table_grows()
    {
        var map = new KeyOffsetMap(1 << 20);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 20_000; i++)
                Assert.True(map.TryPut(Key(i), i + (round * 100_000L)));
        }

        Assert.Equal(20_000, map.Count);
        for (int i = 0; i < 20_000; i++)
            Assert.Equal(i + 100_000, map.Find(Key(i)));
        Assert.Equal(-1, map.Find(Key(20_000)));
        Assert.Equal(-1, map.Find(default));
        Assert.True(map.TryPut(default, 0));
        Assert.Equal(0, map.Find(default));
    }

    [Fact]
    public void Full_map_refuses_new_keys_and_still_updates_old_ones()
    {
        var map = new KeyOffsetMap(24 * 100);
        int count = 0;
        while (map.TryPut(Key(count), count))
            count++;
        Assert.Equal(90, count);
        Assert.True(map.TryPut(Key(3), 1000));
        Assert.Equal(1000, map.Find(Key(3)));
        Assert.Equal(90, map.Count);
    }

    private static byte[] Key(int i)
    {
        var key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, i);
        return key;
    }
}
