using System.Buffers;
using Streams.Core;

namespace Streams.Client.Producing;

/// <summary>Something for the producer's thread to do.</summary>
internal abstract class Work;

/// <summary>A record to write, serialised into one pooled array: key, then value.</summary>
internal sealed class RecordWork(string topic, int? partition, byte[] bytes, int keyLength, bool hasKey, int valueLength, bool hasValue, long timestamp, Headers? headers, bool isPosted) : Work
{
    public string Topic => topic;

    public int? Partition => partition;

    public int Size => keyLength + valueLength;

    public bool HasKey => hasKey;

    public ReadOnlySpan<byte> Key => bytes.AsSpan(0, keyLength);

    /// <summary>Where it has gone, once it is acknowledged. <c>null</c> for a record that nobody waits for.</summary>
    public TaskCompletionSource<TopicPartition>? Written { get; } = isPosted ? null : new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Chosen when it is handed to the client.</summary>
    public TopicPartition Target { get; set; }

    public OutgoingRecord Outgoing => new(Key, hasKey, bytes.AsSpan(keyLength, valueLength), hasValue, timestamp, headers);

    /// <summary>Gives the array back, once.</summary>
    public void Release() => ArrayPool<byte>.Shared.Return(bytes);
}

/// <summary>A call between records: everything before it is acknowledged, or has failed, when it is made.</summary>
internal sealed class CallWork(Action<ProducerThread> call) : Work
{
    public Action<ProducerThread> Call => call;

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
