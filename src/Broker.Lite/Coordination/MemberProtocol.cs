namespace Broker.Lite.Coordination;

/// <summary>One assignment strategy a member can follow, with its opaque subscription bytes.</summary>
internal sealed record MemberProtocol(string Name, ReadOnlyMemory<byte> Metadata);
