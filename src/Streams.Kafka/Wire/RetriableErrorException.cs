using Kafka.Protocol;

namespace Streams.Kafka.Wire;

/// <summary>The broker answered with an error that another attempt may cure.</summary>
internal sealed class RetriableErrorException : Exception
{
    public RetriableErrorException(ErrorCode errorCode, string what)
        : base($"{what}: {errorCode.ProtocolName()}") => ErrorCode = errorCode;

    public ErrorCode ErrorCode { get; }
}
