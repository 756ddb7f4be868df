using System.Buffers;
using System.Buffers.Binary;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Streams.Kafka.Wire;

/// <summary>A request that was sent and waits for its answer.</summary>
internal abstract class PendingAnswer
{
    /// <summary>Set before the request is queued.</summary>
    public int CorrelationId { get; set; }

    /// <summary>Whether the answer's bytes are to come in an array of the shared pool, which <see cref="Complete"/> then owns.</summary>
    public virtual bool IsPooled => false;

    /// <summary>Reads the answer from its bytes (correlation id first) and hands it to whoever waits.</summary>
    /// <param name="bytes">An array that may be longer.</param>
    /// <param name="length">The answer's length.</param>
    public abstract void Complete(byte[] bytes, int length);

    /// <summary>There will be no answer.</summary>
    public abstract void Fail(Exception failure);
}

/// <inheritdoc/>
/// <typeparam name="TAnswer">What is handed to whoever waits.</typeparam>
/// <param name="runsCallerInline">Whether whoever waits goes on where the answer is read; otherwise on the thread pool, since a reading loop that they share must not run callers' code.</param>
internal abstract class PendingAnswerOf<TAnswer>(bool runsCallerInline) : PendingAnswer
{
    protected TaskCompletionSource<TAnswer> Source { get; } = new(runsCallerInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TAnswer> Task => Source.Task;

    /// <summary>Nobody waits any more; the answer is read and dropped.</summary>
    public void Cancel(CancellationToken cancellationToken) => Source.TrySetCanceled(cancellationToken);

    public override void Fail(Exception failure)
    {
        Source.TrySetException(failure);

        // Nobody may be waiting any more (the caller gave up); the failure is then nobody's.
        _ = Source.Task.Exception;
    }

    // The bytes were framed correctly, so the connection is still in step; only this answer is lost.
    protected void FailToRead(ApiKey key, short version, ProtocolException failure) =>
        Fail(new ConnectionLostException($"The answer to {key} version {version} cannot be read: {failure.Message}", failure));
}

/// <summary>Waits for an answer whose bytes are its own.</summary>
internal sealed class PendingAnswer<TResponse>(IRequest<TResponse> request, short version, bool runsCallerInline) : PendingAnswerOf<TResponse>(runsCallerInline)
    where TResponse : IApiMessage, new()
{
    private const int CorrelationIdBytes = 4;

    public override void Complete(byte[] bytes, int length)
    {
        var frame = bytes.AsMemory(0, length);
        try
        {
            if (IsVersionRefusal(frame.Span) && new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion } is TResponse refusal) Source.TrySetResult(refusal);
            else Source.TrySetResult(MessageFrames.DecodeResponse(request, version, CorrelationId, frame));
        }
        catch (ProtocolException e)
        {
            FailToRead(request.Key, version, e);
        }
    }

    // A broker that does not know the version of an ApiVersions request answers in version 0 (KIP-511); what follows the error code is not worth reading, since the request is
    // made again in version 0, and not all brokers write it correctly (librdkafka's mock).
    private bool IsVersionRefusal(ReadOnlySpan<byte> frame) =>
        version > 0
        && frame.Length >= CorrelationIdBytes + sizeof(short)
        && BinaryPrimitives.ReadInt16BigEndian(frame[CorrelationIdBytes..]) == (short)ErrorCode.UnsupportedVersion;
}

/// <summary>Waits for an answer whose bytes go back to the pool when it has been used.</summary>
internal sealed class PendingPooledAnswer<TResponse>(IRequest<TResponse> request, short version, bool runsCallerInline) : PendingAnswerOf<PooledAnswer<TResponse>>(runsCallerInline)
    where TResponse : IApiMessage, new()
{
    public override bool IsPooled => true;

    public override void Complete(byte[] bytes, int length)
    {
        try
        {
            var answer = new PooledAnswer<TResponse>(MessageFrames.DecodeResponse(request, version, CorrelationId, bytes.AsMemory(0, length)), bytes);
            if (!Source.TrySetResult(answer)) answer.Dispose();
        }
        catch (ProtocolException e)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            FailToRead(request.Key, version, e);
        }
    }
}

/// <summary>An answer that looks into pooled memory: what is kept of it is copied before it is disposed.</summary>
internal sealed class PooledAnswer<TResponse>(TResponse response, byte[] bytes) : IDisposable
{
    private byte[]? _bytes = bytes;

    public TResponse Response { get; } = response;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, null) is { } taken) ArrayPool<byte>.Shared.Return(taken);
    }
}
