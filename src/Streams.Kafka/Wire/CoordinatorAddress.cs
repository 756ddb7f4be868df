using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>Where the coordinator of a group or of a transactional id is: looked up when first needed, and again after it was forgotten. Safe from several threads.</summary>
/// <param name="brokers">Whom to ask.</param>
/// <param name="keyType"><see cref="GroupKeyType"/> or <see cref="TransactionKeyType"/>.</param>
/// <param name="key">The group's or the transactional id.</param>
internal sealed class CoordinatorAddress(BrokerPool brokers, sbyte keyType, string key)
{
    public const sbyte GroupKeyType = 0;
    public const sbyte TransactionKeyType = 1;

    private volatile Found? _found;

    /// <summary>The address, from memory if it is known.</summary>
    /// <exception cref="ConnectionLostException">Nobody answered.</exception>
    /// <exception cref="RetriableErrorException">There is none at the moment.</exception>
    /// <exception cref="ClusterException">The broker refuses to tell.</exception>
    public async ValueTask<BrokerAddress> FindAsync(CancellationToken cancellationToken)
    {
        var found = _found ??= new Found(await AskAsync(cancellationToken).ConfigureAwait(false));
        return found.Address;
    }

    /// <summary>Has the next one who needs it ask again: a broker has said that it is another one now, or does not answer.</summary>
    public void Forget() => _found = null;

    private async Task<BrokerAddress> AskAsync(CancellationToken cancellationToken)
    {
        const short BatchedFrom = 4;
        const short TypedFrom = 1;
        var what = keyType == GroupKeyType ? $"Looking for the coordinator of group {key}" : $"Looking for the coordinator of transactional id {key}";
        var answer = await brokers.SendAnyAsync<FindCoordinatorResponse>(
            version => version switch
            {
                >= BatchedFrom => new FindCoordinatorRequest { KeyType = keyType, CoordinatorKeys = [key] },
                >= TypedFrom => new FindCoordinatorRequest { KeyType = keyType, Key = key },
                _ when keyType == GroupKeyType => new FindCoordinatorRequest { Key = key },
                _ => throw new ClusterException((short)ErrorCode.UnsupportedVersion, ErrorCode.UnsupportedVersion.ProtocolName(), $"{what}: the broker has no transactions."),
            },
            cancellationToken).ConfigureAwait(false);
        if (answer.Coordinators.Find(coordinator => coordinator.Key == key) is { } found)
        {
            WireErrors.Check(found.ErrorCode, what, found.ErrorMessage);
            return new BrokerAddress(found.Host, found.Port);
        }

        WireErrors.Check(answer.ErrorCode, what, answer.ErrorMessage);
        return answer.Host.Length > 0
            ? new BrokerAddress(answer.Host, answer.Port)
            : throw new RetriableErrorException(ErrorCode.CoordinatorNotAvailable, what);
    }

    // A reference, because an address is two words and could be read half old, half new.
    private sealed record Found(BrokerAddress Address);
}
