using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>What the producer state says to a batch.</summary>
/// <param name="Error">NONE when it may be appended or is a duplicate.</param>
/// <param name="IsDuplicate">Whether it is there already, at <paramref name="FirstOffset"/>.</param>
/// <param name="FirstOffset">Offset of a duplicate's first record.</param>
/// <param name="LastOffset">Offset of a duplicate's last record.</param>
/// <param name="Message">What is wrong; null without error.</param>
internal readonly record struct ProducerVerdict(ErrorCode Error, bool IsDuplicate, long FirstOffset, long LastOffset, string? Message)
{
    public static ProducerVerdict Accepted => default;

    public static ProducerVerdict Duplicate(ProducerEntry.Batch batch) => new(ErrorCode.None, true, batch.FirstOffset, batch.LastOffset, null);

    public static ProducerVerdict Refused(ErrorCode error, string message) => new(error, false, -1, -1, message);
}
