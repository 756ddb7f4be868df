using Kafka.Protocol;
using Streams.Core;
using Streams.Protocol;

namespace Streams.Kafka.Producing;

/// <summary>A batch that is given up.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Code">What the broker said last; <see cref="ErrorCode.None"/> when it has not answered.</param>
/// <param name="Text">All of it, for people.</param>
/// <param name="Cause">What it was made from, if anything.</param>
internal sealed record DeliveryFailure(string Topic, ErrorCode Code, string Text, Exception? Cause)
{
    /// <summary>Whether a broker refused it, so that the application may choose to go on without; silence is no refusal.</summary>
    public bool IsRefusal => Code != ErrorCode.None;

    /// <summary>As an exception of a producer without transactions.</summary>
    public ProductionException ToException() => new(Text, Cause) { IsOfEarlierRecords = true };

    /// <summary>As what ends a transaction. One that a broker has refused for a reason that the next transaction would meet again is an error for the user.</summary>
    public StreamsException ToTransactionException()
    {
        if (TransactionCalls.IsFenced(Code)) return new TaskMigratedException(Text, Cause);
        return TransactionCalls.IsPermanent(Code) || Cause is ClusterException ? ToException() : new TransactionAbortedException(Text, Cause);
    }
}
