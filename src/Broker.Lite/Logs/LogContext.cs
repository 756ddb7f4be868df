using Microsoft.Extensions.Logging;

namespace Broker.Lite.Logs;

/// <summary>What a log needs from the store that it belongs to.</summary>
/// <param name="Time">The broker's clock.</param>
/// <param name="Logger">Where to say what happened.</param>
/// <param name="PersistLogStart">Makes the log starts of all logs durable; throws <see cref="IOException"/>.</param>
internal sealed record LogContext(TimeProvider Time, ILogger Logger, Action PersistLogStart);
