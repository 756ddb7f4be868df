using System.Threading.Channels;
using Streams.Client;
using Streams.Core;
using Streams.Reactive.Sources;

namespace Streams.Reactive;

/// <summary>Makes sources of topics out of observables, asynchronous sequences and channels.</summary>
public static class RecordSource
{
    /// <summary>Writes the records of a sequence. Each application that runs the topology loops over it once.</summary>
    public static RecordSource<K, V> From<K, V>(IAsyncEnumerable<Record<K, V>> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        return new RecordSource<K, V>(_ => records);
    }

    /// <summary>Writes the records that a channel holds and will hold, until its writer completes it. The channel's bound is the back-pressure on its writers.</summary>
    public static RecordSource<K, V> From<K, V>(ChannelReader<Record<K, V>> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        return new RecordSource<K, V>(_ => new ChannelSequence<Record<K, V>>(records));
    }

    /// <summary>Writes the records of an observable, from the application's start to its end.</summary>
    /// <param name="records">The records. Its calls are taken one at a time.</param>
    /// <param name="capacity">Records that wait to be written (at least 1).</param>
    /// <param name="overflow">
    /// What happens when they are too many: with <see cref="TapOverflow.Wait"/> the observable's call does not return until there is room, which is the only way to slow an observable down. Do not
    /// let it be called by what the records lead to.
    /// </param>
    public static RecordSource<K, V> From<K, V>(IObservable<Record<K, V>> records, int capacity = 1024, TapOverflow overflow = TapOverflow.Wait)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        if (!Enum.IsDefined(overflow)) throw new ArgumentOutOfRangeException(nameof(overflow), overflow, "There is no such policy.");
        return new RecordSource<K, V>(dropped => new ObservableSequence<Record<K, V>>(records, capacity, overflow, dropped));
    }

    /// <summary>Writes what a sequence gives, with keys and values made from it and the time of writing.</summary>
    public static RecordSource<K, V> From<T, K, V>(IAsyncEnumerable<T> items, Func<T, K> key, Func<T, V> value)
    {
        ArgumentNullException.ThrowIfNull(items);
        var toRecord = Mapping(key, value);
        return From(items.Select(toRecord));
    }

    /// <summary>Writes what an observable gives, with keys and values made from it and the time of writing.</summary>
    /// <param name="items">What is observed.</param>
    /// <param name="key">Makes the key.</param>
    /// <param name="value">Makes the value.</param>
    /// <param name="capacity">Records that wait to be written (at least 1).</param>
    /// <param name="overflow">What happens when they are too many; see <see cref="From{K, V}(IObservable{Record{K, V}}, int, TapOverflow)"/>.</param>
    public static RecordSource<K, V> From<T, K, V>(IObservable<T> items, Func<T, K> key, Func<T, V> value, int capacity = 1024, TapOverflow overflow = TapOverflow.Wait)
    {
        ArgumentNullException.ThrowIfNull(items);
        var toRecord = Mapping(key, value);
        return From(System.Reactive.Linq.Observable.Select(items, toRecord), capacity, overflow);
    }

    private static Func<T, Record<K, V>> Mapping<T, K, V>(Func<T, K> key, Func<T, V> value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        return item => new Record<K, V>(key(item), value(item), OutgoingRecord.TimeOfWriting);
    }
}

/// <summary>
/// Records made in this process that are written to a topic, for a topology to read: see <see cref="RecordSource"/> and <see cref="RecordSourceExtensions.Stream{K, V}"/>.
/// </summary>
/// <remarks>
/// <para>
/// Written at least once while the process lives: an idempotent producer writes up to 500 records at a time and the next when they are acknowledged; while the cluster is away, they are written again for
/// <c>task.timeout.ms</c>. What has not been written when the process dies was never in the topic. Records of a key keep their order, but for repetitions.
/// </para>
/// <para>
/// A record whose time is <see cref="OutgoingRecord.TimeOfWriting"/> (-1) gets the time at which it is written. Each instance of an application writes what its own source gives.
/// </para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class RecordSource<K, V>
{
    private readonly Func<Action, IAsyncEnumerable<Record<K, V>>> _open;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _written;
    private long _dropped;

    internal RecordSource(Func<Action, IAsyncEnumerable<Record<K, V>>> open)
    {
        _open = open;

        // Whoever does not look at it hears of a failure by the application's end.
        _ = _completion.Task.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Records that were acknowledged so far.</summary>
    public long WrittenRecords => Interlocked.Read(ref _written);

    /// <summary>Records left out so far because an observable gave them faster than they could be written, and its overflow policy says so.</summary>
    public long DroppedRecords => Interlocked.Read(ref _dropped);

    /// <summary>Completes when the source has come to its end and everything is written; fails with the error of either; is cancelled when the application closes before.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Writes to a topic until the source's end, without an application.</summary>
    /// <param name="cluster">Where the topic is.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="keySerializer">Writes keys; the built-in serde by default.</param>
    /// <param name="valueSerializer">Writes values; the built-in serde by default.</param>
    /// <param name="cancellationToken">Ends it; what has been handed to the producer is written all the same.</param>
    /// <exception cref="ClusterUnavailableException">The cluster was away for more than five minutes.</exception>
    public Task WriteToAsync(ICluster cluster, string topic, ISerializer<K>? keySerializer = null, ISerializer<V>? valueSerializer = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentException.ThrowIfNullOrEmpty(topic);
        var settings = new CompanionSettings { Cluster = cluster, ClientId = "source", Time = TimeProvider.System, Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, Fail = static _ => { } };
        return WriteAsync(settings, topic, keySerializer, valueSerializer, cancellationToken);
    }

    internal async Task WriteAsync(CompanionSettings application, string topic, ISerializer<K>? keySerializer, ISerializer<V>? valueSerializer, CancellationToken cancellationToken)
    {
        try
        {
            var producer = new Producer<K, V>(application.Cluster!, new ProducerSettings { ClientId = $"{application.ClientId}-{topic}-source" }, keySerializer, valueSerializer);
            await using (producer.ConfigureAwait(false))
            {
                var writer = new SourceWriter<K, V>(producer, topic, application, written => Interlocked.Add(ref _written, written));
                await writer.WriteAllAsync(_open(() => Interlocked.Increment(ref _dropped)), cancellationToken).ConfigureAwait(false);
            }

            _completion.TrySetResult();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _completion.TrySetCanceled(cancellationToken);
            throw;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _completion.TrySetException(failure);
            throw;
        }
    }
}
