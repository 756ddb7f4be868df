namespace Streams.Core;

/// <summary>Makes <see cref="StateQueryRequest{TResult}"/>.</summary>
public static class StateQueryRequest
{
    /// <summary>Asks a query of every partition of a store that this instance has, active or standby.</summary>
    public static StateQueryRequest<TResult> Of<TResult>(string storeName, StoreQuery<TResult> query)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentNullException.ThrowIfNull(query);
        return new StateQueryRequest<TResult>(storeName, query);
    }
}

/// <summary>What is asked, of which partitions, and how fresh the answer must be. Source: KIP-796.</summary>
/// <typeparam name="TResult">Type of the answer.</typeparam>
public sealed record StateQueryRequest<TResult>
{
    internal StateQueryRequest(string storeName, StoreQuery<TResult> query)
    {
        StoreName = storeName;
        Query = query;
    }

    /// <summary>Name of the store.</summary>
    public string StoreName { get; }

    /// <summary>The query.</summary>
    public StoreQuery<TResult> Query { get; }

    /// <summary>Partitions to ask; <c>null</c> (default) for all that are here.</summary>
    public IReadOnlyCollection<int>? Partitions { get; init; }

    /// <summary>Whether only the active task may answer, and no standby or store that is being restored. Default: no.</summary>
    public bool RequireActive { get; init; }

    /// <summary>What the answer must contain at least; of partitions that do not, the answer is <see cref="FailureReason.NotUpToBound"/>.</summary>
    public Position PositionBound
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value), "Position.Empty asks for nothing in particular.");
    } = Position.Empty;

    /// <summary>What the answer may contain; <c>null</c> for <see cref="StreamsConfig.DefaultInteractiveQueryIsolationLevel"/>.</summary>
    public IsolationLevel? IsolationLevel
    {
        get;
        init => field = value is { } level && !Enum.IsDefined(level) ? throw new ArgumentOutOfRangeException(nameof(value), value, "ReadUncommitted and ReadCommitted are allowed.") : value;
    }
}

/// <summary>Why a partition gave no answer.</summary>
public enum FailureReason
{
    /// <summary>It gave one.</summary>
    None,

    /// <summary>The partition is not on this instance, or not any more.</summary>
    NotPresent,

    /// <summary>The partition is here, but not active, which was required.</summary>
    NotActive,

    /// <summary>There is no such partition.</summary>
    DoesNotExist,

    /// <summary>The store does not contain what the position bound asks for yet.</summary>
    NotUpToBound,

    /// <summary>The store is of another kind than the query.</summary>
    UnknownQueryType,

    /// <summary>Reading failed; the message says how.</summary>
    StoreException,
}

/// <summary>The answer of one partition.</summary>
/// <typeparam name="TResult">Type of the answer.</typeparam>
public sealed record QueryResult<TResult>
{
    private readonly TResult? _result;

    internal QueryResult(TResult result, Position position)
    {
        _result = result;
        Position = position;
    }

    internal QueryResult(FailureReason reason, string message)
    {
        FailureReason = reason;
        FailureMessage = message;
        Position = Position.Empty;
    }

    /// <summary>Whether there is an answer.</summary>
    public bool IsSuccess => FailureReason == FailureReason.None;

    /// <summary>The answer.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public TResult Result => IsSuccess ? _result! : throw new InvalidOperationException($"The query failed: {FailureReason}. {FailureMessage}");

    /// <summary>Why there is none.</summary>
    public FailureReason FailureReason { get; }

    /// <summary>The same in words; empty when there is an answer.</summary>
    public string FailureMessage { get; } = "";

    /// <summary>What the answer contains.</summary>
    public Position Position { get; }
}

/// <summary>The answers of all partitions that were asked.</summary>
/// <param name="PartitionResults">By partition.</param>
/// <typeparam name="TResult">Type of an answer.</typeparam>
public sealed record StateQueryResult<TResult>(IReadOnlyDictionary<int, QueryResult<TResult>> PartitionResults)
{
    /// <summary>The only partition's answer, or the only one that is not a failure.</summary>
    /// <exception cref="InvalidOperationException">There are several, or none.</exception>
    public QueryResult<TResult> OnlyPartitionResult
    {
        get
        {
            if (PartitionResults.Count == 1) return PartitionResults.Values.First();
            var answers = PartitionResults.Values.Where(result => result.IsSuccess).ToList();
            return answers.Count == 1 ? answers[0] : throw new InvalidOperationException($"{answers.Count} of {PartitionResults.Count} partitions have an answer.");
        }
    }

    /// <summary>What all answers together contain.</summary>
    public Position Position => PartitionResults.Values.Aggregate(Position.Empty, (position, result) => position.Merge(result.Position));
}
