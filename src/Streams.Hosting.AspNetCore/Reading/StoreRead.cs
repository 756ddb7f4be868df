using Streams.Core;

namespace Streams.Hosting.AspNetCore.Reading;

/// <summary>Something to read from one partition of a store, and what it looks like as JSON.</summary>
internal abstract class StoreRead
{
    /// <summary>Asks a partition of this instance.</summary>
    /// <exception cref="InvalidStateStoreException">The application cannot be asked.</exception>
    public abstract Task<LocalAnswer> AskAsync(KafkaStreams streams, string store, int partition, bool requireActive, Position bound, CancellationToken cancellationToken);

    /// <summary>Asks a global store, all of which is here.</summary>
    /// <exception cref="InvalidStateStoreException">It cannot be asked.</exception>
    public abstract LocalAnswer AskGlobal(KafkaStreams streams, string store);
}

/// <summary>What a partition of this instance said.</summary>
/// <param name="Failure">Why it said nothing.</param>
/// <param name="Reason">The same in words.</param>
/// <param name="Content">JSON; <c>null</c> for an absent key.</param>
/// <param name="Position">What the answer contains.</param>
internal readonly record struct LocalAnswer(FailureReason Failure, string Reason, byte[]? Content, Position Position);

/// <inheritdoc cref="StoreRead"/>
/// <param name="storeType">What the store is read through.</param>
/// <param name="read">Reads inside the task's gate, so it only collects.</param>
/// <param name="write">Writes JSON, outside the gate; <c>null</c> says that the key is absent.</param>
internal sealed class StoreRead<TStore, TResult>(QueryableStoreType<TStore> storeType, Func<TStore, TResult> read, Func<TResult, byte[]?> write) : StoreRead
    where TStore : class
{
    public override async Task<LocalAnswer> AskAsync(
        KafkaStreams streams, string store, int partition, bool requireActive, Position bound, CancellationToken cancellationToken)
    {
        var request = StateQueryRequest.Of(store, StoreQuery.Of(storeType, read)) with { Partitions = [partition], RequireActive = requireActive, PositionBound = bound };
        var result = (await streams.QueryAsync(request, cancellationToken).ConfigureAwait(false)).PartitionResults[partition];
        if (result.IsSuccess) return new LocalAnswer(FailureReason.None, "", write(result.Result), result.Position);

        // No other instance and no later moment will have another kind of store: whoever wrote the program has to know.
        if (result.FailureReason == FailureReason.UnknownQueryType) throw new InvalidOperationException(result.FailureMessage);
        return new LocalAnswer(result.FailureReason, result.FailureMessage, null, Position.Empty);
    }

    public override LocalAnswer AskGlobal(KafkaStreams streams, string store) =>
        new(FailureReason.None, "", write(read(streams.Store(StoreQueryParameters.FromNameAndType(store, storeType)))), Position.Empty);
}
