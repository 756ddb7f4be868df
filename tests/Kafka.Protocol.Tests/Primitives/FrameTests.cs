using System.Buffers;

namespace Kafka.Protocol.Tests.Primitives;

public sealed class FrameTests
{
    [Fact]
    public void Attached_owner_is_disposed_with_the_frame_and_once()
    {
        var owner = new Owner();
        var frame = New();
        frame.Attach(owner);
        Assert.Equal(0, owner.Disposed);
        frame.Dispose();
        frame.Dispose();

        Assert.Equal(1, owner.Disposed);
    }

    [Fact]
    public void Disposed_frame_hands_nothing_out()
    {
        var frame = New();
        frame.Dispose();

        Assert.Throws<ObjectDisposedException>(() => frame.Segments);
        Assert.Throws<ObjectDisposedException>(() => frame.ToArray());
        Assert.Throws<ObjectDisposedException>(() => frame.Attach(new Owner()));
    }

    [Fact]
    public void Segments_become_array_segments_for_a_gathered_send()
    {
        var records = new byte[5000];
        records[4999] = 9;
        using var writer = new ProtocolWriter();
        writer.WriteRecords(records, compact: false);
        using var frame = writer.ToFrame();
        var segments = new List<ArraySegment<byte>>();

        Assert.True(frame.TryAddArraySegments(segments));
        Assert.Equal(frame.ToArray(), segments.SelectMany(s => s));
        Assert.Same(records, segments[1].Array);
    }

    [Fact]
    public void Segment_without_an_array_is_said_so_and_nothing_is_added()
    {
        using var memory = new NativeLike(new byte[5000]);
        using var writer = new ProtocolWriter();
        writer.WriteRecords(memory.Memory, compact: false);
        using var frame = writer.ToFrame();
        var segments = new List<ArraySegment<byte>> { new([1]) };

        Assert.False(frame.TryAddArraySegments(segments));
        Assert.Single(segments);
        Assert.Equal(5008, frame.ToArray().Length);
    }

    [Fact]
    public void Copy_into_too_small_a_target_is_misuse()
    {
        using var frame = New();
        Assert.Throws<ArgumentException>(() => frame.CopyTo(new byte[frame.Length - 1]));
    }

    private static Frame New()
    {
        using var writer = new ProtocolWriter();
        writer.WriteInt64(1);
        return writer.ToFrame();
    }

    private sealed class Owner : IDisposable
    {
        public int Disposed { get; private set; }

        public void Dispose() => Disposed++;
    }

    // Memory that does not admit to having an array behind it, as mapped files do not.
    private sealed class NativeLike(byte[] bytes) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => bytes;

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
