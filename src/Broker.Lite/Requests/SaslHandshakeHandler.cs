using Broker.Lite.Security.Sasl;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>SaslHandshake (17): choose the mechanism, for the first time or to authenticate again (KIP-368).</summary>
/// <remarks>v0: the mechanism's messages follow bare. v1: they follow in SaslAuthenticate (KIP-152).</remarks>
internal sealed class SaslHandshakeHandler() : RequestHandler<SaslHandshakeRequest, SaslHandshakeResponse>(0, 1)
{
    protected override ValueTask<SaslHandshakeResponse?> HandleAsync(SaslHandshakeRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var response = new SaslHandshakeResponse();
        if (context.Session.Sasl is not { } sasl)
        {
            response.ErrorCode = ErrorCode.IllegalSaslState;
            return ValueTask.FromResult<SaslHandshakeResponse?>(response);
        }

        response.Mechanisms = [.. sasl.Mechanisms];
        try
        {
            if (!sasl.TryBegin(request.Mechanism, bareMessages: context.Version == 0))
                response.ErrorCode = ErrorCode.UnsupportedSaslMechanism;
        }
        catch (SaslException)
        {
            response.ErrorCode = ErrorCode.IllegalSaslState;
        }

        context.CloseAfterResponse = response.ErrorCode != ErrorCode.None;
        return ValueTask.FromResult<SaslHandshakeResponse?>(response);
    }
}
