using Broker.Lite.Diagnostics;
using Broker.Lite.Security;
using Broker.Lite.Security.Sasl;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>SaslAuthenticate (36): one message of the mechanism. A failure is answered late and ends the connection (KIP-306).</summary>
/// <remarks>v1: how long the session lasts (KIP-368).</remarks>
internal sealed class SaslAuthenticateHandler(BrokerState broker, ILogger logger) : RequestHandler<SaslAuthenticateRequest, SaslAuthenticateResponse>(0, 2)
{
    protected override async ValueTask<SaslAuthenticateResponse?> HandleAsync(SaslAuthenticateRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.Session.Sasl is not { IsInProgress: true } sasl)
        {
            context.CloseAfterResponse = context.Session.Sasl is not null;
            return new SaslAuthenticateResponse { ErrorCode = ErrorCode.IllegalSaslState, ErrorMessage = "SaslAuthenticate request received without a handshake before it" };
        }

        try
        {
            var step = sasl.Next(request.AuthBytes.Span, out var lifetime);
            if (step.IsComplete)
            {
                context.Session.Principal = KafkaPrincipal.User(step.User!);
                context.Metrics?.AuthenticationSuccesses.Add(1);
            }

            return new SaslAuthenticateResponse { AuthBytes = step.Answer, ErrorMessage = null, SessionLifetimeMs = (long)lifetime.TotalMilliseconds };
        }
        catch (SaslException e)
        {
            context.Metrics?.AuthenticationFailures.Add(1);
            Log.LoginFailed(logger, context.ClientHost, e.Message);
            context.CloseAfterResponse = true;
            var delay = TimeSpan.FromMilliseconds(broker.View.Config.Int(SecurityConfigKeys.FailedAuthenticationDelayMs));
            if (delay > TimeSpan.Zero)
                await Task.Delay(delay, broker.Time, cancellationToken).ConfigureAwait(false);
            return new SaslAuthenticateResponse { ErrorCode = ErrorCode.SaslAuthenticationFailed, ErrorMessage = e.Message };
        }
    }
}
