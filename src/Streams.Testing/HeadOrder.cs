using Streams.Core;

namespace Streams.Testing;

/// <summary>
/// The input queues of a task that have records, smallest head timestamp first. A binary heap with the sift rules of Java's <c>PriorityQueue</c>:
/// of equal timestamps that one comes first which comes first in Kafka's test driver, so that recorded results are reproduced exactly.
/// </summary>
/// <remarks>Source: Kafka's <c>PartitionGroup</c>.</remarks>
internal sealed class HeadOrder
{
    private readonly List<RecordQueue> _heap = [];

    public int Count => _heap.Count;

    public void Add(RecordQueue queue)
    {
        var index = _heap.Count;
        _heap.Add(queue);
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (queue.HeadTimestamp >= _heap[parent].HeadTimestamp) break;
            _heap[index] = _heap[parent];
            index = parent;
        }

        _heap[index] = queue;
    }

    public RecordQueue Take()
    {
        var first = _heap[0];
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (_heap.Count > 0) SiftDown(last);
        return first;
    }

    private void SiftDown(RecordQueue queue)
    {
        var index = 0;
        while (index < _heap.Count / 2)
        {
            var child = (2 * index) + 1;
            if (child + 1 < _heap.Count && _heap[child].HeadTimestamp > _heap[child + 1].HeadTimestamp) child++;
            if (queue.HeadTimestamp <= _heap[child].HeadTimestamp) break;
            _heap[index] = _heap[child];
            index = child;
        }

        _heap[index] = queue;
    }
}
