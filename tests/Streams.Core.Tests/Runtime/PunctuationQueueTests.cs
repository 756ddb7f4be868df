using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public class PunctuationQueueTests
{
    private static readonly Processor _node = new PassOn<string, string>();

    [Fact]
    public void Overdue_callback_is_taken_once_and_keeps_its_phase()
    {
        var queue = new PunctuationQueue();
        queue.Add(10, 10, _ => { }, _node);

        Assert.False(queue.TryTake(9, out _));
        Assert.True(queue.TryTake(45, out _));
        Assert.False(queue.TryTake(45, out _));
        Assert.Equal(50, queue.NextDue);
    }

    [Fact]
    public void Callbacks_are_taken_in_the_order_in_which_they_are_due()
    {
        var queue = new PunctuationQueue();
        var (late, early) = (queue.Add(7, 100, _ => { }, _node), queue.Add(3, 100, _ => { }, _node));

        queue.TryTake(10, out var first);
        queue.TryTake(10, out var second);

        Assert.Same(early, first);
        Assert.Same(late, second);
    }

    [Theory]
    [InlineData(0L, 10L, long.MaxValue)]
    [InlineData(0L, long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, 1L, long.MaxValue)]
    [InlineData(long.MaxValue - 1, 1000L, long.MaxValue)]
    public void Times_at_the_end_of_the_range_end_the_schedule_instead_of_spinning(long due, long interval, long now)
    {
        var queue = new PunctuationQueue();
        queue.Add(due, interval, _ => { }, _node);

        var taken = 0;
        while (queue.TryTake(now, out _)) taken++;

        Assert.Equal(1, taken);
        Assert.Equal(long.MaxValue, queue.NextDue);
    }

    [Fact]
    public void Cancelled_callback_is_not_taken_any_more()
    {
        var queue = new PunctuationQueue();
        var schedule = queue.Add(1, 1, _ => { }, _node);
        schedule.Cancel();
        schedule.Cancel();

        Assert.False(queue.TryTake(100, out _));
        Assert.Equal(long.MaxValue, queue.NextDue);
    }
}
