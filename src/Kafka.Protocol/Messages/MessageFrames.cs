namespace Kafka.Protocol.Messages;

/// <summary>Whole frames: length prefix, header and body in one step, for both ends of a connection.</summary>
public static class MessageFrames
{
    /// <summary>Client side: a request, ready to send. Dispose the frame after sending.</summary>
    /// <exception cref="ProtocolException">The request cannot be expressed in <paramref name="version"/>.</exception>
    public static Frame EncodeRequest(IApiMessage request, short version, int correlationId, string? clientId)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var writer = new ProtocolWriter();
        new RequestHeader(request.Key, version, correlationId, clientId).Write(writer);
        request.Write(writer, version);
        return writer.ToFrame();
    }

    /// <summary>Client side: reads a response frame (without its length prefix) to the request with this correlation id.</summary>
    /// <exception cref="ProtocolException">Not such a response, or the answer to another request.</exception>
    public static TResponse DecodeResponse<TResponse>(
        IRequest<TResponse> request,
        short version,
        int correlationId,
        ReadOnlyMemory<byte> frame)
        where TResponse : IApiMessage, new()
    {
        ArgumentNullException.ThrowIfNull(request);
        var api = ApiMessages.Get(request.Key);
        var reader = new ProtocolReader(frame);
        var header = ResponseHeader.Read(ref reader, api.ResponseHeaderVersion(version));
        if (header.CorrelationId != correlationId)
            throw new ProtocolException($"The answer has correlation id {header.CorrelationId}, expected was {correlationId}");
        var response = new TResponse();
        response.Read(ref reader, version);
        return response;
    }

    /// <summary>
    /// Server side: reads a request frame (without its length prefix). Keys and versions this library does not have come back with a null
    /// body, so that the caller can answer or close; which versions are served is the caller's own decision.
    /// </summary>
    /// <exception cref="ProtocolException">The header or the body is malformed.</exception>
    public static RequestHeader DecodeRequest(ReadOnlyMemory<byte> frame, out IApiMessage? request)
    {
        var reader = new ProtocolReader(frame);
        var header = RequestHeader.Read(ref reader);
        request = ApiMessages.TryGet(header.ApiKey, out var api) && api.Versions.Contains(header.ApiVersion)
            ? api.ReadRequest(ref reader, header.ApiVersion)
            : null;
        return header;
    }

    /// <summary>Server side: the response to the request with this header, ready to send. Dispose the frame after sending.</summary>
    /// <param name="response">The body.</param>
    /// <param name="version">
    /// Version of the body: the request's, except that an ApiVersions request of a version too high is answered with version 0.
    /// </param>
    /// <param name="correlationId">The request's.</param>
    /// <exception cref="ProtocolException">The response cannot be expressed in <paramref name="version"/>.</exception>
    public static Frame EncodeResponse(IApiMessage response, short version, int correlationId)
    {
        ArgumentNullException.ThrowIfNull(response);
        using var writer = new ProtocolWriter();
        var api = ApiMessages.Get(response.Key);
        new ResponseHeader(correlationId).Write(writer, api.ResponseHeaderVersion(version));
        response.Write(writer, version);
        return writer.ToFrame();
    }
}
