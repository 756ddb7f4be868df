using Kafka.Protocol;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>Turns error codes of answers into exceptions.</summary>
internal static class WireErrors
{
    /// <summary>Nothing when <paramref name="code"/> is <see cref="ErrorCode.None"/>.</summary>
    /// <exception cref="RetriableErrorException">Another attempt may succeed.</exception>
    /// <exception cref="ClusterException">It will not.</exception>
    public static void Check(ErrorCode code, string what, string? brokerMessage = null)
    {
        if (code != ErrorCode.None) throw ToException(code, what, brokerMessage);
    }

    public static Exception ToException(ErrorCode code, string what, string? brokerMessage = null)
    {
        if (code.IsRetriable()) return new RetriableErrorException(code, what);
        var reason = string.IsNullOrEmpty(brokerMessage) ? ErrorCodes.Describe(code).Meaning : brokerMessage;
        return new ClusterException((short)code, code.ProtocolName(), $"{what}: {code.ProtocolName()}: {reason}");
    }
}
