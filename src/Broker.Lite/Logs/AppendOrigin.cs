namespace Broker.Lite.Logs;

/// <summary>Who appends, which decides what is checked.</summary>
internal enum AppendOrigin
{
    /// <summary>A producer: one batch, no control records, sequence numbers and timestamps checked.</summary>
    Client,

    /// <summary>The broker itself: its coordinators' records and transaction markers; several batches, which are theirs to get right.</summary>
    Coordinator,
}
