using Streams.State.Bytes;
using Xunit;

namespace Streams.State.Tests.Bytes;

public sealed class SliceArenaTests
{
    [Fact]
    public void Slices_keep_their_bytes_while_others_come_and_go()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        var arena = new SliceArena();
        var live = new List<(uint Handle, byte[] Bytes)>();
        for (var step = 0; step < 20_000; step++)
        {
            if (live.Count > 0 && random.Next(5) < 2)
            {
                var at = random.Next(live.Count);
                Assert.True(arena.Span(live[at].Handle, live[at].Bytes.Length).SequenceEqual(live[at].Bytes), $"seed {Seed}, step {step}");
                arena.Free(live[at].Handle, live[at].Bytes.Length);
                live[at] = live[^1];
                live.RemoveAt(live.Count - 1);
                continue;
            }

            var length = random.Next(100) switch { 0 => random.Next(2 << 20), < 10 => random.Next(5000), _ => random.Next(60) };
            if (live.Count > 500) length = random.Next(60);
            var bytes = new byte[length];
            random.NextBytes(bytes);
            live.Add((arena.Store(bytes), bytes));
        }

        foreach (var (handle, bytes) in live) Assert.True(arena.Span(handle, bytes.Length).SequenceEqual(bytes), $"seed {Seed}");
        foreach (var (handle, bytes) in live) arena.Free(handle, bytes.Length);
        Assert.Equal(0, arena.UsedBytes);
    }

    [Fact]
    public void Every_length_up_to_half_a_chunk_has_room_for_itself()
    {
        for (var length = 1; length <= 600_000; length = (length * 17 / 16) + 1)
        {
            var arena = new SliceArena();
            var first = arena.Allocate(length);
            var second = arena.Allocate(length);
            arena.Span(first, length).Fill(1);
            arena.Span(second, length).Fill(2);
            Assert.Equal(-1, arena.Span(first, length).IndexOfAnyExcept((byte)1));
        }
    }

    [Fact]
    public void Freed_slices_are_used_again()
    {
        var arena = new SliceArena();
        for (var i = 0; i < 1_000_000; i++) arena.Free(arena.Allocate(40), 40);
        Assert.Equal(0, arena.UsedBytes);
        Assert.True(arena.AllocatedBytes <= 8 << 10, $"{arena.AllocatedBytes}");
    }

    [Fact]
    public void Large_slices_give_their_memory_back()
    {
        var arena = new SliceArena();
        var handles = Enumerable.Range(0, 10).Select(_ => arena.Allocate(3 << 20)).ToList();
        Assert.Equal(10, handles.Distinct().Count());
        foreach (var handle in handles) arena.Free(handle, 3 << 20);
        Assert.True(arena.AllocatedBytes < 1 << 20);
    }
}
