namespace Streams.Core;

/// <summary>The failure handlers of an application, with the defaults of Kafka Streams: every failure stops the thread.</summary>
internal sealed class ErrorPolicy
{
    public DeserializationExceptionHandler Deserialization { get; init; } = static (_, _) => ErrorResponse.Fail;

    public ProcessingExceptionHandler Processing { get; init; } = static (_, _) => ErrorResponse.Fail;

    public ProductionExceptionHandler Production { get; init; } = static (_, _, _) => ErrorResponse.Fail;

    /// <summary>Told of every record that a handler let go; the runtime logs it.</summary>
    public Action<ErrorHandlerContext, Exception> Dropped { get; init; } = static (_, _) => { };
}
