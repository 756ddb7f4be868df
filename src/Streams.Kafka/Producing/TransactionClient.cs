using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.Wire;
using Streams.Protocol;

namespace Streams.Kafka.Producing;

/// <summary>A transactional producer's calls to its coordinator, and to the group's for offsets. What passes is tried again until the time limit of a call.</summary>
/// <remarks>Every call ends in <see cref="ClusterUnavailableException"/> when it has not succeeded within <see cref="WireSettings.ApiTimeout"/>, and as <see cref="TransactionCalls.ToException"/> says when it cannot.</remarks>
internal sealed class TransactionClient
{
    // The coordinator ends the transaction before within milliseconds, and the next one must not wait much longer than that.
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(5);

    private readonly BrokerPool _brokers;
    private readonly string _transactionalId;
    private readonly TimeSpan _transactionTimeout;
    private readonly CoordinatorAddress _coordinator;
    private readonly Retry _retry;
    private CoordinatorAddress? _groupCoordinator;
    private string? _groupId;

    public TransactionClient(BrokerPool brokers, string transactionalId, TimeSpan transactionTimeout, TimeProvider time, Random random)
    {
        _brokers = brokers;
        _transactionalId = transactionalId;
        _transactionTimeout = transactionTimeout;
        _coordinator = new CoordinatorAddress(brokers, CoordinatorAddress.TransactionKeyType, transactionalId);
        var settings = brokers.Settings;
        _retry = new Retry(settings with { InitialBackoff = settings.InitialBackoff < _firstPause ? settings.InitialBackoff : _firstPause }, time, random);
    }

    private WireSettings Settings => _brokers.Settings;

    /// <summary>Gets an id and an epoch. Fences the producers before, or, with <paramref name="current"/>, keeps the id and raises the epoch unless somebody else has it now.</summary>
    public Task<ProducerIdentity> InitAsync(ProducerIdentity current, CancellationToken cancellationToken)
    {
        var granted = current;
        return Then(
            RunAsync(
                $"Transactions of '{_transactionalId}' cannot be started",
                _coordinator,
                async token =>
                {
                    var answer = await SendAsync(_coordinator, InitProducerIdRequest.Versions, version => TransactionCalls.Init(current, _transactionTimeout, version), token).ConfigureAwait(false);
                    if (answer.ErrorCode == ErrorCode.InvalidTransactionTimeout)
                        throw new ConfigException($"transaction.timeout.ms is {(long)_transactionTimeout.TotalMilliseconds}: the broker allows less (transaction.max.timeout.ms).");
                    granted = new ProducerIdentity(_transactionalId, answer.ProducerId, answer.ProducerEpoch);
                    return answer.ErrorCode;
                },
                cancellationToken),
            () => granted);
    }

    public Task AddPartitionsAsync(ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => RunAsync(
        "Adding partitions to the transaction",
        _coordinator,
        async token => TransactionCalls.FirstError(
            await SendAsync(_coordinator, TransactionCalls.AddPartitionsVersions, _ => TransactionCalls.AddPartitions(producer, partitions), token).ConfigureAwait(false)),
        cancellationToken);

    public Task AddOffsetsAsync(ProducerIdentity producer, string groupId, CancellationToken cancellationToken) => RunAsync(
        $"Adding offsets of group '{groupId}' to the transaction",
        _coordinator,
        async token => (await SendAsync(_coordinator, AddOffsetsToTxnRequest.Versions, _ => TransactionCalls.AddOffsets(producer, groupId), token).ConfigureAwait(false)).ErrorCode,
        cancellationToken);

    /// <summary>Hands the offsets to the group's coordinator, which keeps them back until the transaction ends.</summary>
    public Task CommitOffsetsAsync(ProducerIdentity producer, IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
    {
        if (_groupCoordinator is null || _groupId != membership.GroupId)
        {
            _groupId = membership.GroupId;
            _groupCoordinator = new CoordinatorAddress(_brokers, CoordinatorAddress.GroupKeyType, membership.GroupId);
        }

        var coordinator = _groupCoordinator;
        return RunAsync(
            $"Committing offsets of group '{membership.GroupId}' in the transaction",
            coordinator,
            async token => TransactionCalls.FirstError(
                await SendAsync(coordinator, TxnOffsetCommitRequest.Versions, version => TransactionCalls.CommitOffsets(producer, offsets, membership, version), token).ConfigureAwait(false)),
            cancellationToken);
    }

    /// <param name="producer">Whose transaction.</param>
    /// <param name="commit">Whether it is committed or given up.</param>
    /// <param name="mayBeEmpty">Whether the coordinator may not know of a transaction, so that there is nothing to end.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task EndAsync(ProducerIdentity producer, bool commit, bool mayBeEmpty, CancellationToken cancellationToken) => RunAsync(
        commit ? "Committing a transaction" : "Giving a transaction up",
        _coordinator,
        async token =>
        {
            var answer = await SendAsync(_coordinator, EndTxnRequest.Versions, _ => TransactionCalls.End(producer, commit), token).ConfigureAwait(false);
            return mayBeEmpty && answer.ErrorCode == ErrorCode.InvalidTxnState ? ErrorCode.None : answer.ErrorCode;
        },
        cancellationToken);

    private static async Task<T> Then<T>(Task first, Func<T> result)
    {
        await first.ConfigureAwait(false);
        return result();
    }

    private Task<bool> RunAsync(string what, CoordinatorAddress coordinator, Func<CancellationToken, Task<ErrorCode>> call, CancellationToken cancellationToken) => _retry.RunAsync(
        what,
        Settings.ApiTimeout,
        async token =>
        {
            var error = await call(token).ConfigureAwait(false);
            if (error == ErrorCode.None) return true;
            if (error is ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable) coordinator.Forget();
            throw TransactionCalls.Passes(error) ? new RetriableErrorException(error, what) : TransactionCalls.ToException(error, what);
        },
        cancellationToken);

    private async Task<TResponse> SendAsync<TResponse>(CoordinatorAddress coordinator, VersionRange versions, Func<short, IRequest<TResponse>> build, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var address = await coordinator.FindAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _brokers.SendAsync(address, versions, build, Settings.RequestTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionLostException)
        {
            // Its broker may be gone for good: the next attempt asks where the coordinator is now.
            coordinator.Forget();
            throw;
        }
    }
}
