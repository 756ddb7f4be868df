namespace Streams.Core;

/// <summary>A setting is missing, unknown or out of range; the message names the setting by its Kafka name, the value and what is allowed. All faults are reported together.</summary>
public sealed class ConfigException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ConfigException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
