namespace Streams.Core;

/// <summary>Decides about records that cannot be deserialised. Default: <see cref="ErrorHandlers.LogAndFail(ErrorHandlerContext, Exception)"/>. Source: Kafka's <c>deserialization.exception.handler</c>.</summary>
public delegate ErrorResponse DeserializationExceptionHandler(ErrorHandlerContext context, Exception failure);

/// <summary>
/// Decides about records on which a processor or user function threw. Default: <see cref="ErrorHandlers.LogAndFail(ErrorHandlerContext, Exception)"/>. Source:
/// <c>processing.exception.handler</c> (KIP-1033).
/// </summary>
/// <remarks>
/// "Continue" goes on behind the operator that threw: what the record had written and forwarded before stays, as in Kafka Streams. A record that must take effect as a
/// whole or not at all is answered with "fail" under <see cref="ProcessingGuarantee.ExactlyOnce"/> and
/// <see cref="StreamThreadExceptionResponse.ReplaceThread"/>, which gives up everything since the last commit and processes it again.
/// </remarks>
public delegate ErrorResponse ProcessingExceptionHandler(ErrorHandlerContext context, Exception failure);

/// <summary>Decides about records that could not be serialised or written to <paramref name="topic"/>. Default: <see cref="ErrorHandlers.LogAndFail(ErrorHandlerContext, string, Exception)"/>. Source: <c>production.exception.handler</c> (KIP-210, KIP-399, KIP-1065).</summary>
/// <remarks>A cluster refuses records in batches, some time after they were handed over; for those the context has neither operator nor source record. In a transaction it is asked only about records that were never sent: after the others the transaction cannot be committed.</remarks>
public delegate ErrorResponse ProductionExceptionHandler(ErrorHandlerContext context, string topic, Exception failure);

/// <summary>Ready-made failure handlers. Every record that is left out is logged and counted, and every failure is logged, whichever handler decided.</summary>
/// <remarks>With <see cref="StreamsConfig.DeadLetterTopic"/> set they also write the source record there (KIP-1034). Source: Kafka's <c>LogAndFailExceptionHandler</c>, <c>LogAndContinueExceptionHandler</c> and their processing and production kin.</remarks>
public static class ErrorHandlers
{
    /// <summary>Stops the thread. The default for deserialisation and processing.</summary>
    public static ErrorResponse LogAndFail(ErrorHandlerContext context, Exception failure) => WithDeadLetter(ErrorResponse.Fail, context, failure);

    /// <summary>Leaves the record out and goes on.</summary>
    public static ErrorResponse LogAndContinue(ErrorHandlerContext context, Exception failure) => WithDeadLetter(ErrorResponse.Continue, context, failure);

    /// <summary>Stops the thread. The default for production.</summary>
    public static ErrorResponse LogAndFail(ErrorHandlerContext context, string topic, Exception failure) => WithDeadLetter(ErrorResponse.Fail, context, failure);

    /// <summary>Leaves the record out and goes on.</summary>
    public static ErrorResponse LogAndContinue(ErrorHandlerContext context, string topic, Exception failure) => WithDeadLetter(ErrorResponse.Continue, context, failure);

    private static ErrorResponse WithDeadLetter(ErrorResponse response, ErrorHandlerContext context, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.DeadLetterTopic is { } topic ? response.With(context.ToDeadLetter(topic, failure)) : response;
    }
}
