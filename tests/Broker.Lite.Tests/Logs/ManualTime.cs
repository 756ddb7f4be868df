namespace Broker.Lite.Tests.Logs;

/// <summary>A clock that stands still until it is moved.</summary>
internal sealed class ManualTime(long nowMs = 1_700_000_000_000) : TimeProvider
{
    public long NowMs { get; set; } = nowMs;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}
