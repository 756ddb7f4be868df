namespace Streams.Core;

/// <summary>A node whose records go to somebody outside the topology, who may be slower than the task. Called by the task's thread.</summary>
internal interface IPacedNode
{
    /// <summary>Whether the task is to take no further record and to fire no callback, until <see cref="PacedNodes.Wake"/>. May ask for a commit, if that is what it takes.</summary>
    bool HoldsTaskUp();

    /// <summary>Whether <see cref="Rest"/> is wanted.</summary>
    bool WantsRest { get; }

    /// <summary>Between two records, with nothing held back by a cache: what the stores say and what has been sent on is the same.</summary>
    void Rest();

    /// <summary>What the task has done since the last commit is committed.</summary>
    void Committed();
}

/// <summary>
/// The paced nodes of one task. A task that is held up stays with its thread, which goes on to poll, to commit and to run its other tasks: nobody waits, so a consumer of
/// records that has stopped for good holds up its own topic and no more.
/// </summary>
internal sealed class PacedNodes
{
    private IPacedNode[] _nodes = [];

    /// <summary>Ends the thread's wait for records; from any thread.</summary>
    public Action Wake { get; init; } = static () => { };

    /// <summary>Gives nodes their rest now: in the test driver, where the caller's thread is the task's.</summary>
    public Action RestNow { get; set; } = static () => { };

    public bool HoldTaskUp()
    {
        foreach (var node in _nodes)
        {
            if (node.HoldsTaskUp()) return true;
        }

        return false;
    }

    public bool WantRest
    {
        get
        {
            foreach (var node in _nodes)
            {
                if (node.WantsRest) return true;
            }

            return false;
        }
    }

    public void Add(IPacedNode node) => _nodes = [.. _nodes, node];

    public void Rest()
    {
        foreach (var node in _nodes)
        {
            if (node.WantsRest) node.Rest();
        }
    }

    public void Committed()
    {
        foreach (var node in _nodes) node.Committed();
    }
}
