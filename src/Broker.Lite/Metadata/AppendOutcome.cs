using Kafka.Protocol;

namespace Broker.Lite.Metadata;

/// <summary>What became of an append.</summary>
/// <param name="Error">The error for the client, or none.</param>
/// <param name="Message">The error in words.</param>
/// <param name="BaseOffset">Offset of the first record; of the original batch for a duplicate.</param>
/// <param name="LogAppendTimeMs">The broker's timestamp under LogAppendTime, else -1.</param>
/// <param name="RecordErrors">Which records of the batch were wrong, by index, when single ones were.</param>
internal readonly record struct AppendOutcome(
    ErrorCode Error, string? Message, long BaseOffset, long LogAppendTimeMs, IReadOnlyList<(int Index, string Message)> RecordErrors)
{
    public static AppendOutcome Failed(ErrorCode error, string? message = null) => new(error, message, -1, -1, []);
}
