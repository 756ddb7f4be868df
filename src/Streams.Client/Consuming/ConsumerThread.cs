using System.Threading.Channels;
using Streams.Core;

namespace Streams.Client.Consuming;

/// <summary>A fetched batch and the assignment it belongs to.</summary>
internal readonly record struct Fetched(Position Position, RecordBatch Batch);

/// <summary>
/// Owns the cluster's consumer, which is for one thread: obeys commands, polls, and puts batches where the application reads them. At most two batches wait there and one in hand; the rest
/// waits, bounded in bytes, in the cluster's consumer.
/// </summary>
internal sealed class ConsumerThread
{
    private const int MaxWaitingBatches = 2;
    private static readonly TimeSpan _pollTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _retryPause = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly Queue<(Action<IRecordConsumer> Call, TaskCompletionSource Done)> _commands = new();
    private readonly Channel<Fetched> _batches = Channel.CreateBounded<Fetched>(new BoundedChannelOptions(MaxWaitingBatches) { SingleWriter = true });
    private readonly Dictionary<TopicPartition, Position> _positions = [];
    private readonly IRecordConsumer _consumer;
    private readonly Func<OffsetOutOfRangeException, TopicPartitionOffset> _reset;
    private readonly Thread _thread;
    private volatile bool _closing;

    /// <summary>Starts the thread.</summary>
    /// <param name="consumer">The cluster's consumer; disposed by the thread.</param>
    /// <param name="name">Name of the thread.</param>
    /// <param name="reset">Where to go on when a position is not in the log any more; throws when nowhere.</param>
    public ConsumerThread(IRecordConsumer consumer, string name, Func<OffsetOutOfRangeException, TopicPartitionOffset> reset)
    {
        _consumer = consumer;
        _reset = reset;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public ChannelReader<Fetched> Batches => _batches.Reader;

    /// <summary>Positions of the assigned partitions as they are now.</summary>
    public IReadOnlyList<Position> Positions
    {
        get
        {
            lock (_gate) return [.. _positions.Values];
        }
    }

    /// <summary>Ends reading with an error: whoever reads gets it after what has been fetched before.</summary>
    public void Fail(Exception failure) => _batches.Writer.TryComplete(failure);

    /// <summary>The reader has taken a batch: there is room for the next.</summary>
    public void Taken()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }

    /// <summary>Replaces the whole assignment.</summary>
    public Task AssignAsync(IReadOnlyCollection<TopicPartitionOffset> partitions) => CallAsync(consumer =>
    {
        List<TopicPartition> gone;
        lock (_gate)
        {
            foreach (var position in _positions.Values) position.End();
            gone = [.. _positions.Keys];
            _positions.Clear();
            foreach (var (partition, offset) in partitions) _positions.Add(partition, new Position(partition, offset));
        }

        if (gone.Count > 0) consumer.Unassign(gone);
        if (partitions.Count > 0) consumer.Assign(partitions);
    });

    /// <summary>Goes elsewhere in a partition.</summary>
    /// <exception cref="InvalidOperationException">The partition is not assigned.</exception>
    public Task SeekAsync(TopicPartitionOffset target) => CallAsync(consumer =>
    {
        lock (_gate)
        {
            if (!_positions.TryGetValue(target.Partition, out var old)) throw new InvalidOperationException($"{target.Partition} is not assigned to this consumer.");
            old.End();
            _positions[target.Partition] = new Position(target.Partition, target.Offset);
        }

        consumer.Assign([target]);
    });

    /// <summary>Runs something on the thread, between polls.</summary>
    public Task CallAsync(Action<IRecordConsumer> call)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, typeof(Consumer<,>));
            _commands.Enqueue((call, done));
            Monitor.PulseAll(_gate);
        }

        _consumer.Wake();
        return done.Task;
    }

    public async Task CloseAsync()
    {
        lock (_gate)
        {
            if (_closing) return;
            _closing = true;
            Monitor.PulseAll(_gate);
        }

        _consumer.Wake();
        await Task.Run(_thread.Join).ConfigureAwait(false);
    }

    private void Run()
    {
        Fetched? held = null;
        while (!_closing)
        {
            Obey();
            if (held is { } waiting)
            {
                // The room for it is made by the reader, who says so; a command may come first.
                lock (_gate)
                {
                    if (!waiting.Position.IsOver && !_batches.Writer.TryWrite(waiting))
                    {
                        if (_commands.Count == 0 && !_closing) Monitor.Wait(_gate, _pollTime);
                        continue;
                    }
                }

                if (waiting.Position.IsOver) waiting.Batch.Dispose();
                held = null;
            }

            held = Poll();
        }

        held?.Batch.Dispose();
        Obey();
        _batches.Writer.TryComplete();
        while (_batches.Reader.TryRead(out var left)) left.Batch.Dispose();
        _consumer.Dispose();
    }

    private Fetched? Poll()
    {
        try
        {
            var batch = _consumer.Poll(_pollTime);
            if (batch is null) return null;
            lock (_gate)
            {
                if (_positions.TryGetValue(batch.Partition, out var position)) return new Fetched(position, batch);
            }

            batch.Dispose();
            return null;
        }
        catch (OffsetOutOfRangeException failure)
        {
            Reset(failure);
            return null;
        }
        catch (ClusterUnavailableException)
        {
            // Records do not get lost by waiting; the cluster's consumer tries again with the next poll, a moment later.
            lock (_gate)
            {
                if (_commands.Count == 0 && !_closing) Monitor.Wait(_gate, _retryPause);
            }

            return null;
        }
        catch (Exception failure)
        {
            // Kept for the reader, who decides; commands are obeyed still, so that the consumer can be closed.
            Fail(failure);
            lock (_gate)
            {
                while (_commands.Count == 0 && !_closing) Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private void Reset(OffsetOutOfRangeException failure)
    {
        try
        {
            var target = _reset(failure);
            lock (_gate)
            {
                if (!_positions.TryGetValue(target.Partition, out var old)) return;
                old.End();
                _positions[target.Partition] = new Position(target.Partition, target.Offset);
            }

            _consumer.Assign([target]);
        }
        catch (Exception cause) when (cause is not OutOfMemoryException)
        {
            Fail(cause);
        }
    }

    private void Obey()
    {
        while (true)
        {
            (Action<IRecordConsumer> Call, TaskCompletionSource Done) command;
            lock (_gate)
            {
                if (!_commands.TryDequeue(out command)) return;
            }

            try
            {
                command.Call(_consumer);
                command.Done.SetResult();
            }
            catch (Exception failure)
            {
                command.Done.SetException(failure);
            }
        }
    }
}
