using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>
/// Writes log entries as lines, <c>time level category[id] message</c> or JSON objects with the message's values as properties, to a
/// writer. One write per entry, so that lines never mix.
/// </summary>
internal sealed class TextLoggerFactory(TextWriter writer, LogLevel minimum, TimeProvider time, bool json = false) : ILoggerFactory
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
            if (factory.WritesJson)
            {
                factory.Write(JsonLine(logLevel, eventId, state, exception, formatter(state, exception)));
                return;
            }

            var line = $"{factory.Now:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {logLevel,-11} {category}[{eventId.Id}] {formatter(state, exception)}";
            factory.Write(exception is null ? line : line + Environment.NewLine + exception);
        }

        private string JsonLine<TState>(LogLevel level, EventId eventId, TState state, Exception? exception, string message)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                writer.WriteString("time", factory.Now.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
                writer.WriteString("level", level.ToString().ToLowerInvariant());
                writer.WriteString("category", category);
                writer.WriteNumber("id", eventId.Id);
                writer.WriteString("message", message);
                writer.WriteStartObject("values");
                foreach (var (name, value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
                {
                    if (name != "{OriginalFormat}")
                        writer.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                }

                writer.WriteEndObject();
                if (exception is not null)
                    writer.WriteString("exception", exception.ToString());
                writer.WriteEndObject();
            }

            return Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
    }

    private LogLevel MinimumLevel => minimum;

    private bool WritesJson => json;

    private DateTimeOffset Now => time.GetUtcNow();
}
