using System.Text;

namespace Streams.Core.Tests.Support;

/// <summary>Keeps what is written, or only counts it where memory is measured.</summary>
internal sealed class FakeProducer(int partitionCount = 1, bool keepsRecords = true) : IRecordProducer
{
    private readonly Dictionary<(string, int), long> _ends = [];

    /// <summary>What was written, as <c>topic-partition:key=value@timestamp</c>.</summary>
    public List<string> Written { get; } = [];

    public long Count { get; private set; }

    /// <summary>A value that is not taken, as one that is too large.</summary>
    public string? RefusedValue { get; init; }

    /// <summary>Transactions begun.</summary>
    public int Begun { get; private set; }

    public ProducerTopic GetTopic(string name, bool trackOffsets = false) =>
        name == "missing" ? throw new ProductionException("There is no topic 'missing'.") : new ProducerTopic(name, partitionCount);

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        if (RefusedValue is not null && Text(record.HasValue, record.Value) == RefusedValue) throw new ProductionException("refused for the test");
        Count++;
        if (!keepsRecords) return;
        _ends[(topic.Name, partition)] = _ends.GetValueOrDefault((topic.Name, partition)) + 1;
        Written.Add($"{topic.Name}-{partition}:{Text(record.HasKey, record.Key)}={Text(record.HasValue, record.Value)}@{record.Timestamp}");
    }

    public void SendPending()
    {
    }

    public void Flush(CancellationToken cancellationToken)
    {
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => _ends.TryGetValue((topic.Name, partition), out var end) ? end : null;

    public void InitTransactions(CancellationToken cancellationToken) => throw new NotSupportedException();

    public void BeginTransaction() => Begun++;

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void CommitTransaction(CancellationToken cancellationToken) => throw new NotSupportedException();

    public void AbortTransaction(CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private static string Text(bool has, ReadOnlySpan<byte> bytes) => has ? Encoding.UTF8.GetString(bytes) : "null";
}
