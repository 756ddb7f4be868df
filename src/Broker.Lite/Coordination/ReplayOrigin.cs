namespace Broker.Lite.Coordination;

/// <summary>Where a replayed record of <c>__consumer_offsets</c> comes from.</summary>
/// <param name="JournalOffset">Its offset.</param>
/// <param name="ProducerId">The producer in whose transaction it was written, or -1.</param>
internal readonly record struct ReplayOrigin(long JournalOffset, long ProducerId)
{
    public static ReplayOrigin None => new(-1, -1);

    public bool IsTransactional => ProducerId >= 0;
}
