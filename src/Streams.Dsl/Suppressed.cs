using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>Which updates of a table are held back, and for how long. Source: KIP-328.</summary>
public sealed record Suppressed
{
    private Suppressed(BufferConfig buffer) => Buffer = buffer;

    internal string? Name { get; private init; }

    /// <summary>How long, in milliseconds of stream time; <c>null</c> to wait until the key's window has closed.</summary>
    internal long? TimeLimitMs { get; private init; }

    internal BufferConfig Buffer { get; }

    /// <summary>
    /// Lets only the last update of each window through, once the window has closed: its end and the grace period have passed in stream time. Deletions
    /// are not sent on.
    /// </summary>
    /// <param name="buffer">How much may be held back; it must not let updates go early (see <see cref="BufferConfig.EmitEarlyWhenFull"/>).</param>
    /// <exception cref="ArgumentException">The buffer lets updates go early.</exception>
    public static Suppressed UntilWindowCloses(BufferConfig buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        if (!buffer.IsStrict)
            throw new ArgumentException("A buffer that lets updates go early would send results that are not final; use BufferConfig.Unbounded() or ShutDownWhenFull().", nameof(buffer));
        return new Suppressed(buffer);
    }

    /// <summary>
    /// Lets at most one update per key and time limit through: the first update of a key starts the clock, later ones replace it without starting it
    /// again.
    /// </summary>
    /// <param name="timeToWait">How long, in stream time and whole milliseconds.</param>
    /// <param name="buffer">How much may be held back, and what happens when it is more.</param>
    public static Suppressed UntilTimeLimit(TimeSpan timeToWait, BufferConfig buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return new Suppressed(buffer) { TimeLimitMs = WindowTimes.NotNegative(timeToWait, nameof(timeToWait)) };
    }

    /// <summary>The same with a name for the operator and its store.</summary>
    public Suppressed WithName(string name) => this with { Name = Named.Checked(name) };
}

/// <summary>How much <c>suppress</c> may hold back in memory, and what happens beyond it. Source: KIP-328.</summary>
public sealed record BufferConfig
{
    private BufferConfig()
    {
    }

    /// <summary>Largest number of keys held; <see cref="long.MaxValue"/> without a limit.</summary>
    public long MaximumRecords { get; private init; } = long.MaxValue;

    /// <summary>Largest number of bytes held; <see cref="long.MaxValue"/> without a limit.</summary>
    public long MaximumBytes { get; private init; } = long.MaxValue;

    /// <summary>Whether nothing is let go before its time: the application stops instead when the buffer is full.</summary>
    public bool IsStrict { get; private init; } = true;

    /// <summary>Whether changes of the buffer are logged. Default: yes.</summary>
    public bool LoggingEnabled { get; private init; } = true;

    /// <summary>Settings of the changelog topic by their Kafka names.</summary>
    public IReadOnlyDictionary<string, string> LogConfig { get; private init; } = StoreSettings.NoConfig;

    /// <summary>No limit: the memory of the process is the limit.</summary>
    public static BufferConfig Unbounded() => new();

    /// <summary>At most so many keys; when there are more, the oldest go early. Combine with <see cref="ShutDownWhenFull"/> to stop instead.</summary>
    public static BufferConfig MaxRecords(long recordLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recordLimit, 1);
        return new() { MaximumRecords = recordLimit, IsStrict = false };
    }

    /// <summary>At most so many bytes; when there are more, the oldest go early. Combine with <see cref="ShutDownWhenFull"/> to stop instead.</summary>
    public static BufferConfig MaxBytes(long byteLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(byteLimit, 1);
        return new() { MaximumBytes = byteLimit, IsStrict = false };
    }

    /// <summary>The same with another limit of keys.</summary>
    public BufferConfig WithMaxRecords(long recordLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recordLimit, 1);
        return this with { MaximumRecords = recordLimit };
    }

    /// <summary>The same with another limit of bytes.</summary>
    public BufferConfig WithMaxBytes(long byteLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(byteLimit, 1);
        return this with { MaximumBytes = byteLimit };
    }

    /// <summary>Stops the application with an error when the buffer is full.</summary>
    public BufferConfig ShutDownWhenFull() => this with { IsStrict = true };

    /// <summary>Lets the oldest updates go early when the buffer is full.</summary>
    public BufferConfig EmitEarlyWhenFull() => this with { IsStrict = false };

    /// <summary>The same without changelog: what is held back is lost with the machine.</summary>
    public BufferConfig WithLoggingDisabled() => this with { LoggingEnabled = false };

    /// <summary>The same with settings for the changelog topic.</summary>
    public BufferConfig WithLoggingEnabled(IReadOnlyDictionary<string, string> topicConfig)
    {
        ArgumentNullException.ThrowIfNull(topicConfig);
        return this with { LoggingEnabled = true, LogConfig = topicConfig };
    }
}
