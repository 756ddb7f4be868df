using Kafka.Protocol;

namespace Broker.Lite.Network;

/// <summary>The byte stream of one connection, plain or under TLS. One reader and one writer at a time.</summary>
internal abstract class ClientTransport : IDisposable
{
    /// <summary>Whether <see cref="SendAsync(Frame)"/> sends a <see cref="Logs.FileMemory"/> without reading it.</summary>
    public virtual bool CanSendFiles => false;

    /// <summary>Receives some bytes; 0 when the client has closed its side.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until the client sends something or is gone; true if it is gone. Nothing that it sends is lost: <see cref="ReceiveAsync"/>
    /// gets it. Only the latter may be called before this completed.
    /// </summary>
    public abstract Task<bool> WaitForHangUpAsync();

    /// <summary>
    /// Sends a whole frame; the caller disposes it afterwards. There is no way to stop it but to close the connection: a cancelled send
    /// could go on reading pooled memory that holds somebody else's data by then.
    /// </summary>
    public abstract ValueTask SendAsync(Frame frame);

    /// <summary>Sends bytes that are no frame of Kafka's.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Closes the connection; operations on it fail.</summary>
    public abstract void Dispose();
}
