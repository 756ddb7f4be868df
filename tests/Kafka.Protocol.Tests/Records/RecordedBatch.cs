using System.Text.Json;

namespace Kafka.Protocol.Tests.Records;

/// <summary>A batch as Kafka's Java client wrote it, with its decoded contents, from <c>batches.json</c>.</summary>
public sealed record RecordedBatch
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    public required string Name { get; init; }

    public required byte[] Bytes { get; init; }

    public required long BaseOffset { get; init; }

    public required long LastOffset { get; init; }

    public required uint Crc { get; init; }

    public required long ProducerId { get; init; }

    public required short ProducerEpoch { get; init; }

    public required int BaseSequence { get; init; }

    public required int PartitionLeaderEpoch { get; init; }

    public required long MaxTimestamp { get; init; }

    public required string Compression { get; init; }

    public required bool Transactional { get; init; }

    public required bool Control { get; init; }

    /// <summary>Per record: offset, timestamp, key, value, headers as pairs; bytes are base64 or null.</summary>
    public required JsonElement[][] Records { get; init; }

    public static IReadOnlyList<RecordedBatch> All { get; } = Load();

    public static TheoryData<string> Names => new(All.Select(batch => batch.Name));

    public static RecordedBatch Get(string name) => All.Single(batch => batch.Name == name);

    public static byte[]? BytesOf(JsonElement element) => element.ValueKind == JsonValueKind.Null ? null : element.GetBytesFromBase64();

    private static List<RecordedBatch> Load()
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Records", "batches.json"));
        return JsonSerializer.Deserialize<List<RecordedBatch>>(file, s_options)!;
    }
}
