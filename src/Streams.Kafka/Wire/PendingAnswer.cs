using System.Buffers.Binary;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Streams.Kafka.Wire;

/// <summary>A request that was sent and waits for its answer.</summary>
internal abstract class PendingAnswer
{
    /// <summary>Set before the request is queued.</summary>
    public int CorrelationId { get; set; }

    /// <summary>Reads the answer from its bytes (correlation id first) and hands it to whoever waits.</summary>
    public abstract void Complete(ReadOnlyMemory<byte> frame);

    /// <summary>There will be no answer.</summary>
    public abstract void Fail(Exception failure);
}

/// <inheritdoc/>
internal sealed class PendingAnswer<TResponse>(IRequest<TResponse> request, short version) : PendingAnswer
    where TResponse : IApiMessage, new()
{
    private const int CorrelationIdBytes = 4;

    // Continuations run elsewhere: the reading loop must not run callers' code.
    private readonly TaskCompletionSource<TResponse> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResponse> Task => _source.Task;

    public override void Complete(ReadOnlyMemory<byte> frame)
    {
        try
        {
            if (IsVersionRefusal(frame.Span) && new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion } is TResponse refusal) _source.TrySetResult(refusal);
            else _source.TrySetResult(MessageFrames.DecodeResponse(request, version, CorrelationId, frame));
        }
        catch (ProtocolException e)
        {
            // The bytes were framed correctly, so the connection is still in step; only this answer is lost.
            Fail(new ConnectionLostException($"The answer to {request.Key} version {version} cannot be read: {e.Message}", e));
        }
    }

    public override void Fail(Exception failure)
    {
        _source.TrySetException(failure);

        // Nobody may be waiting any more (the caller gave up); the failure is then nobody's.
        _ = _source.Task.Exception;
    }

    // A broker that does not know the version of an ApiVersions request answers in version 0 (KIP-511); what follows the error code is not worth reading, since the request is
    // made again in version 0, and not all brokers write it correctly (librdkafka's mock).
    private bool IsVersionRefusal(ReadOnlySpan<byte> frame) =>
        version > 0
        && frame.Length >= CorrelationIdBytes + sizeof(short)
        && BinaryPrimitives.ReadInt16BigEndian(frame[CorrelationIdBytes..]) == (short)ErrorCode.UnsupportedVersion;
}
