namespace Streams.Protocol;

/// <summary>Who produces, as a broker knows it.</summary>
/// <param name="TransactionalId">The transactional id; <c>null</c> for a producer that is only idempotent.</param>
/// <param name="ProducerId">The id that the cluster has given out; -1 before it has.</param>
/// <param name="Epoch">Counts the producers of one id; those of earlier epochs are fenced. -1 before there is an id.</param>
internal readonly record struct ProducerIdentity(string? TransactionalId, long ProducerId, short Epoch)
{
    /// <summary>Whether the cluster has given an id out.</summary>
    public bool IsKnown => ProducerId >= 0;

    /// <summary>One that the cluster has not given an id yet.</summary>
    public static ProducerIdentity Unknown(string? transactionalId) => new(transactionalId, -1, -1);
}
