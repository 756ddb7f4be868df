namespace Kafka.Protocol.Messages;

/// <summary>What this library knows of one API: its versions, and how to read its messages.</summary>
public sealed class ApiDescriptor
{
    private readonly Func<IApiMessage> _newRequest;
    private readonly Func<IApiMessage> _newResponse;

    private ApiDescriptor(
        ApiKey key,
        VersionRange versions,
        short flexibleFrom,
        Func<IApiMessage> newRequest,
        Func<IApiMessage> newResponse)
    {
        Key = key;
        Versions = versions;
        FlexibleFrom = flexibleFrom;
        _newRequest = newRequest;
        _newResponse = newResponse;
    }

    /// <summary>The operation.</summary>
    public ApiKey Key { get; }

    /// <summary>The versions that can be read and written. A broker may serve fewer.</summary>
    public VersionRange Versions { get; }

    /// <summary>First version in compact form with tagged fields; <see cref="VersionRange.Never"/> if there is none.</summary>
    public short FlexibleFrom { get; }

    /// <summary>Whether <paramref name="version"/> is in compact form with tagged fields.</summary>
    public bool IsFlexible(short version) => version >= FlexibleFrom;

    /// <summary>Header version of a request: 2 for flexible versions, 1 for the others.</summary>
    public short RequestHeaderVersion(short version) => IsFlexible(version) ? (short)2 : (short)1;

    /// <summary>Header version of a response: 1 for flexible versions, except 0 for ApiVersions at any version.</summary>
    public short ResponseHeaderVersion(short version) => IsFlexible(version) && Key != ApiKey.ApiVersions ? (short)1 : (short)0;

    /// <summary>A request with every field at its default.</summary>
    public IApiMessage NewRequest() => _newRequest();

    /// <summary>A response with every field at its default.</summary>
    public IApiMessage NewResponse() => _newResponse();

    /// <summary>Reads a request body.</summary>
    /// <exception cref="ProtocolException">Not such a request, or a version outside <see cref="Versions"/>.</exception>
    public IApiMessage ReadRequest(ref ProtocolReader reader, short version) => Read(_newRequest(), ref reader, version);

    /// <summary>Reads a response body.</summary>
    /// <exception cref="ProtocolException">Not such a response, or a version outside <see cref="Versions"/>.</exception>
    public IApiMessage ReadResponse(ref ProtocolReader reader, short version) => Read(_newResponse(), ref reader, version);

    internal static ApiDescriptor Of<TRequest, TResponse>()
        where TRequest : IRequest<TResponse>, IApiSchema, new()
        where TResponse : IApiMessage, IApiSchema, new() =>
        new(TRequest.ApiKey, TRequest.Versions, TRequest.FlexibleFrom, static () => new TRequest(), static () => new TResponse());

    private static IApiMessage Read(IApiMessage message, ref ProtocolReader reader, short version)
    {
        message.Read(ref reader, version);
        return message;
    }
}
