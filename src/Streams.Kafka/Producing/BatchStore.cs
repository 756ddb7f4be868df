using Kafka.Protocol.Records;

namespace Streams.Kafka.Producing;

/// <summary>Batches that are not in use, with their memory. Guarded by the sender's gate.</summary>
/// <param name="options">Of every batch.</param>
/// <param name="maxCount">How many are kept; the memory of further ones goes back to the shared pool.</param>
internal sealed class BatchStore(RecordBatchOptions options, int maxCount) : IDisposable
{
    private readonly Stack<ProducerBatch> _batches = new();

    public ProducerBatch Take() => _batches.TryPop(out var batch) ? batch : new ProducerBatch(options);

    public void Return(ProducerBatch batch)
    {
        if (batch.IsShared) return;
        if (_batches.Count >= maxCount)
        {
            batch.Dispose();
            return;
        }

        batch.Reset();
        _batches.Push(batch);
    }

    public void Dispose()
    {
        while (_batches.TryPop(out var batch)) batch.Dispose();
    }
}
