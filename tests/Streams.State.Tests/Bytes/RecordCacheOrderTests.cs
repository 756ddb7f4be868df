using Streams.Core;
using Streams.State.Bytes;
using Xunit;

namespace Streams.State.Tests.Bytes;

public sealed class RecordCacheOrderTests
{
    [Fact]
    public void Writes_leave_in_the_order_in_which_keys_were_last_written()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var cache = new RecordCache<long>();
        var model = new List<(int Id, RecordCoordinates Coordinates)>();
        for (var step = 0; step < 50_000; step++)
        {
            if (random.Next(100) < 30 && model.Count > 0)
            {
                Assert.True(cache.TryTake(out var id, out var write), $"seed {seed}, step {step}");
                Assert.True(model[0].Id == id && model[0].Coordinates == cache.CoordinatesOf(in write), $"seed {seed}, step {step}: {model[0]}, got {id} {cache.CoordinatesOf(in write)}");
                model.RemoveAt(0);
            }
            else
            {
                // Few keys most of the time, so that the queue has gaps and closes them; sometimes one that is new.
                var id = random.Next(100) < 90 ? random.Next(8) : random.Next(200);
                var coordinates = new RecordCoordinates("topic" + random.Next(3), random.Next(2), step, step * 10, HasRecord: true);
                ref var held = ref cache.SlotOf(id);
                cache.Hold(ref held, id, 10, in coordinates);
                model.RemoveAll(entry => entry.Id == id);
                model.Add((id, coordinates));
            }

            Assert.Equal(model.Count, cache.Count);
        }

        while (cache.TryTake(out _, out _)) model.RemoveAt(0);
        Assert.Empty(model);
        Assert.Equal(0, cache.Bytes);
    }
}
