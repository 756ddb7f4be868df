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
            _source.TrySetResult(MessageFrames.DecodeResponse(request, BodyVersion(frame.Span), CorrelationId, frame));
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

    // A broker that does not know the version of an ApiVersions request answers in version 0 (KIP-511).
    private short BodyVersion(ReadOnlySpan<byte> frame) =>
        request.Key == ApiKey.ApiVersions
        && frame.Length >= CorrelationIdBytes + sizeof(short)
        && BinaryPrimitives.ReadInt16BigEndian(frame[CorrelationIdBytes..]) == (short)ErrorCode.UnsupportedVersion
            ? (short)0
            : version;
}
