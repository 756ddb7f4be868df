using System.Text;
using Streams.State.Bytes;
using Xunit;

namespace Streams.State.Tests.Bytes;

public sealed class EntryTableTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public void Behaves_as_a_sorted_map_under_random_adds_and_removes(int seed, bool orderedFromStart)
    {
        var random = new Random(seed);
        var table = new EntryTable<int>();
        var model = new SortedDictionary<string, int>(StringComparer.Ordinal);
        if (orderedFromStart) table.Ordered();
        for (var step = 0; step < 30_000; step++)
        {
            var text = random.Next(4000).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
            if (random.Next(10) == 0) text = "common-prefix-of-many-keys-" + text;
            var key = Encoding.UTF8.GetBytes(text);
            var hash = KeyHash.Of(key);
            var id = table.Find(key, hash);
            Assert.Equal(model.ContainsKey(text), id >= 0);
            if (random.Next(3) == 0)
            {
                if (id >= 0) table.Remove(id);
                model.Remove(text);
                continue;
            }

            if (id < 0) id = table.Add(key, hash);
            table[id].Typed = step;
            model[text] = step;
        }

        Assert.Equal(model.Count, table.Count);
        var index = table.Ordered();
        var position = OrderedIndex.First;
        var walked = new List<KeyValuePair<string, int>>();
        for (var id = index.At(ref position); id >= 0; id = index.At(ref position))
        {
            walked.Add(new(Encoding.UTF8.GetString(table.KeyOf(id)), table[id].Typed));
            position = position with { Index = position.Index + 1 };
        }

        Assert.Equal(model, walked);

        var backwards = new List<string>();
        position = index.End;
        for (var id = index.Before(ref position); id >= 0; id = index.Before(ref position)) backwards.Add(Encoding.UTF8.GetString(table.KeyOf(id)));
        Assert.Equal(model.Keys.Reverse(), backwards);
    }

    [Fact]
    public void Order_is_that_of_unsigned_bytes_with_prefixes_first()
    {
        var table = new EntryTable<int>();
        byte[][] keys = [[], [0], [0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0], [1], [0x7F, 0xFF], [0x80], [0xFF], [0xFF, 0]];
        foreach (var key in keys.Reverse()) table.Add(key, KeyHash.Of(key));
        var index = table.Ordered();
        var position = OrderedIndex.First;
        foreach (var key in keys)
        {
            Assert.Equal(key, table.KeyOf(index.At(ref position)).ToArray());
            position = position with { Index = position.Index + 1 };
        }
    }
}
