namespace Streams.Core;

/// <summary>What a failure handler decides.</summary>
public enum ErrorDecision
{
    /// <summary>Stop the thread with the error; nothing after the last commit is kept.</summary>
    Fail,

    /// <summary>Leave the record out (it is counted as dropped) and go on.</summary>
    Continue,

    /// <summary>Try again; production handlers only. Elsewhere it is taken as <see cref="Fail"/>.</summary>
    Retry,
}

/// <summary>The answer of a failure handler: a decision, and records for dead-letter topics. Source: Kafka's <c>Response</c> (KIP-1034).</summary>
public sealed class ErrorResponse
{
    private ErrorResponse(ErrorDecision decision, IReadOnlyList<DeadLetterRecord> deadLetters)
    {
        Decision = decision;
        DeadLetters = deadLetters;
    }

    /// <summary>Stop the thread with the error; nothing after the last commit is kept.</summary>
    public static ErrorResponse Fail { get; } = new(ErrorDecision.Fail, []);

    /// <summary>Leave the record out (it is counted as dropped) and go on.</summary>
    public static ErrorResponse Continue { get; } = new(ErrorDecision.Continue, []);

    /// <summary>Give up what was done since the last commit and process those records again; production handlers only, for errors that may pass. Ends in failure after <c>task.timeout.ms</c>.</summary>
    public static ErrorResponse Retry { get; } = new(ErrorDecision.Retry, []);

    /// <summary>What to do.</summary>
    public ErrorDecision Decision { get; }

    /// <summary>What to write to dead-letter topics, with the outputs of the other records and, where there are transactions, in the same one.</summary>
    public IReadOnlyList<DeadLetterRecord> DeadLetters { get; }

    /// <summary>The same decision with more records for dead-letter topics.</summary>
    public ErrorResponse With(params IReadOnlyList<DeadLetterRecord> deadLetters)
    {
        ArgumentNullException.ThrowIfNull(deadLetters);
        return new ErrorResponse(Decision, [.. DeadLetters, .. deadLetters]);
    }

    /// <inheritdoc/>
    public override string ToString() => DeadLetters.Count == 0 ? Decision.ToString() : $"{Decision} with {DeadLetters.Count} dead letter(s)";
}
