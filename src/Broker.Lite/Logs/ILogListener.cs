namespace Broker.Lite.Logs;

/// <summary>Told when there is more to read.</summary>
internal interface ILogListener
{
    /// <summary>
    /// The high watermark or the last stable offset of <paramref name="log"/> moved, the log was deleted, or it failed. Called on the
    /// appending thread, without locks held: be quick and do not throw. Calls may come late or doubled: look at the log, not at the call.
    /// </summary>
    void OnLogChanged(IPartitionLog log);
}
