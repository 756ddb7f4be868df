namespace Streams.Core;

/// <summary>What of a topology has changed.</summary>
public enum TopologyPart
{
    /// <summary>A processor, source or sink: nothing is kept under its name.</summary>
    Node,

    /// <summary>A state store, and with it its folder and, where it is logged, its changelog topic.</summary>
    Store,

    /// <summary>A repartition topic.</summary>
    RepartitionTopic,
}

/// <summary>How a part of a topology has changed.</summary>
public enum TopologyChangeKind
{
    /// <summary>It was not there before; a store starts empty.</summary>
    New,

    /// <summary>It is not there any more. What it kept, on disk and in topics, stays and is used by nobody.</summary>
    Gone,

    /// <summary>The same shape under another name. What was kept under the former name is used by nobody; a store starts empty.</summary>
    Renamed,

    /// <summary>A store is in another sub-topology: its changelog is used further, its state on disk is restored anew.</summary>
    Moved,
}

/// <summary>One difference between the topology that last ran on this machine's state and the one that runs now. Nothing is ever deleted because of it.</summary>
/// <param name="Kind">How it changed.</param>
/// <param name="Part">What changed.</param>
/// <param name="Name">Its name now; of something gone, its last.</param>
/// <param name="FormerName">Its name before, when it was renamed.</param>
/// <param name="Orphan">The topic that nobody uses any more: changelog or repartition topic of something gone or renamed; <c>null</c> when there is none.</param>
public sealed record TopologyChange(TopologyChangeKind Kind, TopologyPart Part, string Name, string? FormerName, string? Orphan)
{
    /// <summary>The change in a sentence, with what follows from it.</summary>
    public override string ToString()
    {
        var part = Part switch
        {
            TopologyPart.Store => "store",
            TopologyPart.RepartitionTopic => "repartition topic",
            _ => "node",
        };
        var orphan = Orphan is null ? "" : $"; topic '{Orphan}' is used by nobody any more";
        return Kind switch
        {
            TopologyChangeKind.New => $"{part} '{Name}' is new",
            TopologyChangeKind.Gone => $"{part} '{Name}' is gone{orphan}",
            TopologyChangeKind.Renamed when Part == TopologyPart.Store =>
                $"{part} '{FormerName}' is called '{Name}' now and starts empty{orphan}. Give it a name of its own (Materialized.As) to keep its content through such changes",
            TopologyChangeKind.Renamed => $"{part} '{FormerName}' is called '{Name}' now{orphan}",
            _ => $"{part} '{Name}' is in another sub-topology now: its state on disk is restored anew from its changelog",
        };
    }
}
