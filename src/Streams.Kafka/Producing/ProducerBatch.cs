using Kafka.Protocol;
using Kafka.Protocol.Records;
using Streams.Protocol;

namespace Streams.Kafka.Producing;

/// <summary>One batch from its first record to its acknowledgement.</summary>
internal sealed class ProducerBatch(RecordBatchOptions options) : IDisposable
{
    private ProducerIdentity _producer = ProducerIdentity.Unknown(null);
    private int _baseSequence;
    private bool _isRenumbered;

    /// <summary>Its records. Filled under the gate; built by whoever sends it, while nobody else touches it.</summary>
    public RecordBatchBuilder Builder { get; } = new(options);

    /// <summary>What is sent, once it is built; the same bytes every time, so that the broker can tell a repetition.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public int Count => Builder.Count;

    /// <summary>Bytes that it counts for in the buffer.</summary>
    public int BufferedBytes { get; set; }

    /// <summary>When its first record came, as a timestamp of the clock.</summary>
    public long OpenedAt { get; set; }

    /// <summary>Whether it goes as soon as it can, full or not.</summary>
    public bool IsDue { get; set; }

    public bool IsNumbered => _producer.IsKnown;

    /// <summary>The id and epoch that it has numbers of.</summary>
    public ProducerIdentity Producer => _producer;

    /// <summary>Whether the broker may have it although it has not said so: its numbers cannot be another batch's then.</summary>
    public bool IsInDoubt { get; set; }

    /// <summary>Whether a request that was given up may still read its bytes: then they are the garbage collector's, never another batch's.</summary>
    public bool IsShared { get; set; }

    /// <summary>What the broker last said against it; <see cref="ErrorCode.None"/> when the last attempt had no answer.</summary>
    public ErrorCode LastError { get; set; }

    /// <summary>Why the last attempt failed.</summary>
    public string? LastReason { get; set; }

    /// <summary>Gives its records their numbers.</summary>
    public void Number(ProducerIdentity producer, int baseSequence)
    {
        _isRenumbered = !Bytes.IsEmpty;
        _producer = producer;
        _baseSequence = baseSequence;
    }

    /// <summary>Takes the numbers back: the broker wants others.</summary>
    public void Unnumber() => _producer = ProducerIdentity.Unknown(null);

    /// <summary>Makes the bytes to send of it, or changes the numbers in those that there are.</summary>
    /// <exception cref="CompressionUnavailableException">The codec's native library is missing.</exception>
    public void Build()
    {
        if (Bytes.IsEmpty)
        {
            Builder.SetProducer(_producer.ProducerId, _producer.Epoch, _baseSequence);
            Bytes = Builder.Build();
        }
        else if (_isRenumbered)
        {
            Bytes = Builder.Renumber(_producer.ProducerId, _producer.Epoch, _baseSequence);
        }

        _isRenumbered = false;
    }

    /// <summary>Makes it empty, in the same memory.</summary>
    public void Reset()
    {
        Builder.Reset();
        Bytes = default;
        BufferedBytes = 0;
        IsDue = false;
        IsInDoubt = false;
        LastError = ErrorCode.None;
        LastReason = null;
        _producer = ProducerIdentity.Unknown(null);
        _isRenumbered = false;
    }

    public void Dispose() => Builder.Dispose();
}
