namespace Streams.Core.Tests.Support;

/// <summary>A clock that stands where it is put.</summary>
internal sealed class FixedClock : TimeProvider
{
    public long NowMs { get; set; }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}
