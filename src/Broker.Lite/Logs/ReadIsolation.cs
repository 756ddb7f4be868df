namespace Broker.Lite.Logs;

/// <summary>Up to where a reader sees.</summary>
internal enum ReadIsolation
{
    /// <summary>Up to the high watermark; open and aborted transactions included. Wire value 0.</summary>
    ReadUncommitted = 0,

    /// <summary>Up to the last stable offset, with the list of aborted transactions. Wire value 1.</summary>
    ReadCommitted = 1,
}
