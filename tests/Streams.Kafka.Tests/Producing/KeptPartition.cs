using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Streams.Kafka.Tests.Producing;

/// <summary>A partition's log with the rules for numbers that Kafka has for idempotent producers, the last batch remembered.</summary>
internal sealed class KeptPartition
{
    private readonly Dictionary<long, Counted> _producers = [];

    public List<string> Keys { get; } = [];

    /// <summary>Id, epoch and first number of every batch that was kept.</summary>
    public List<(long ProducerId, short Epoch, int BaseSequence)> Batches { get; } = [];

    /// <summary>Batches that came a second time.</summary>
    public int Duplicates { get; private set; }

    /// <summary>Forgets its producers, as a leader does that has not seen them.</summary>
    public void Forget() => _producers.Clear();

    public ProduceResponse.PartitionProduceResponse Append(ReadOnlySpan<byte> bytes, int maxBytes)
    {
        if (bytes.Length > maxBytes) return new ProduceResponse.PartitionProduceResponse { ErrorCode = ErrorCode.MessageTooLarge };
        var batch = RecordBatchView.Read(bytes);
        var header = batch.Header;
        if (!batch.IsCrcValid || header.TotalBytes != bytes.Length) return new ProduceResponse.PartitionProduceResponse { ErrorCode = ErrorCode.CorruptMessage };
        if (_producers.TryGetValue(header.ProducerId, out var known))
        {
            if (header.ProducerEpoch < known.Epoch) return new ProduceResponse.PartitionProduceResponse { ErrorCode = ErrorCode.InvalidProducerEpoch };
            if (header.ProducerEpoch == known.Epoch && header.BaseSequence == known.BaseSequence && header.LastSequence == known.LastSequence)
            {
                Duplicates++;
                return new ProduceResponse.PartitionProduceResponse { BaseOffset = known.BaseOffset };
            }

            var expected = header.ProducerEpoch == known.Epoch ? RecordBatchHeader.IncrementSequence(known.LastSequence, 1) : 0;
            if (header.BaseSequence != expected) return new ProduceResponse.PartitionProduceResponse { ErrorCode = ErrorCode.OutOfOrderSequenceNumber };
        }
        else if (header.BaseSequence != 0)
        {
            return new ProduceResponse.PartitionProduceResponse { ErrorCode = ErrorCode.UnknownProducerId };
        }

        var offset = Keys.Count;
        _producers[header.ProducerId] = new Counted(header.ProducerEpoch, header.BaseSequence, header.LastSequence, offset);
        Batches.Add((header.ProducerId, header.ProducerEpoch, header.BaseSequence));
        using var unpacked = batch.Decompress(1 << 24);
        foreach (var record in unpacked is null ? batch.GetRecords() : batch.GetRecords(unpacked.WrittenSpan)) Keys.Add(Encoding.UTF8.GetString(record.Key));
        return new ProduceResponse.PartitionProduceResponse { BaseOffset = offset };
    }

    private sealed record Counted(short Epoch, int BaseSequence, int LastSequence, long BaseOffset);
}
