namespace Broker.Lite.Host.Client;

/// <summary>Something a command cannot do; the message is for the person at the terminal.</summary>
internal sealed class ToolException(string message, Exception? inner = null) : Exception(message, inner);
