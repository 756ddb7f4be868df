using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>Why batches are refused; <c>default</c> when they are not.</summary>
internal readonly record struct AppendFault(ErrorCode Error, string? Message, IReadOnlyList<int>? RecordIndexes)
{
    public static AppendFault Of(ErrorCode error, string message) => new(error, message, null);
}
