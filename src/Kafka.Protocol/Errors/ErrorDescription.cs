namespace Kafka.Protocol;

/// <summary>One line of the error table.</summary>
/// <param name="Code">The number on the wire.</param>
/// <param name="Name">The name in the protocol guide, such as <c>NOT_COORDINATOR</c>.</param>
/// <param name="IsRetriable">Whether trying again can succeed.</param>
/// <param name="Meaning">One sentence for people.</param>
public sealed record ErrorDescription(ErrorCode Code, string Name, bool IsRetriable, string Meaning);
