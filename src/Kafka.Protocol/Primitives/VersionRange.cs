namespace Kafka.Protocol;

/// <summary>Versions from <paramref name="Min"/> to <paramref name="Max"/>, both included.</summary>
/// <param name="Min">The lowest version.</param>
/// <param name="Max">The highest version.</param>
public readonly record struct VersionRange(short Min, short Max)
{
    /// <summary>Higher than any version: "flexible from" of an API that has no flexible version.</summary>
    public const short Never = short.MaxValue;

    /// <summary>Whether <paramref name="version"/> lies inside.</summary>
    public bool Contains(short version) => version >= Min && version <= Max;

    /// <summary>
    /// Throws a <see cref="ProtocolException"/> with <see cref="ErrorCode.UnsupportedVersion"/> unless <paramref name="version"/> lies
    /// inside.
    /// </summary>
    public void Require(short version, string what)
    {
        if (!Contains(version))
            throw new ProtocolException(ErrorCode.UnsupportedVersion, $"{what} has the versions {this}, not {version}");
    }

    /// <summary>The highest version in both, as a client chooses it; false when they do not meet.</summary>
    public bool TryHighestCommon(VersionRange other, out short version)
    {
        version = Math.Min(Max, other.Max);
        return version >= Min && version >= other.Min;
    }

    /// <summary>Such as <c>0-11</c>, or <c>1</c> when there is only one.</summary>
    public override string ToString() => Min == Max ? $"{Min}" : $"{Min}-{Max}";
}
