using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>
/// Writes log entries as lines, <c>time level category[id] message</c>, to a writer. One write per entry, so that lines never mix.
/// </summary>
internal sealed class TextLoggerFactory(TextWriter writer, LogLevel minimum, TimeProvider time) : ILoggerFactory
{
    private readonly Lock _gate = new();

    public ILogger CreateLogger(string categoryName) => new TextLogger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The process logs to its error stream only");

    public void Dispose()
    {
        // The writer belongs to whoever gave it.
    }

    private void Write(string line)
    {
        lock (_gate)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }

    private sealed class TextLogger(TextLoggerFactory factory, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= factory.MinimumLevel && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var line = $"{factory.Now:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {logLevel,-11} {category}[{eventId.Id}] {formatter(state, exception)}";
            factory.Write(exception is null ? line : line + Environment.NewLine + exception);
        }
    }

    private LogLevel MinimumLevel => minimum;

    private DateTimeOffset Now => time.GetUtcNow();
}
