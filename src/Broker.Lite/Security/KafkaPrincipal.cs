namespace Broker.Lite.Security;

/// <summary>Who a client is, or whom an access rule names: type and name, written <c>User:alice</c> (Kafka: <c>KafkaPrincipal</c>).</summary>
internal readonly record struct KafkaPrincipal(string Type, string Name)
{
    public const string UserType = "User";

    /// <summary>A client that did not say who it is.</summary>
    public static KafkaPrincipal Anonymous { get; } = User("ANONYMOUS");

    public static KafkaPrincipal User(string name) => new(UserType, name);

    /// <summary>Reads <c>Type:name</c>; the name may contain colons, commas and equals signs, as names from certificates do.</summary>
    public static bool TryParse(string? text, out KafkaPrincipal principal)
    {
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        principal = colon > 0 && colon < text!.Length - 1 ? new(text[..colon], text[(colon + 1)..]) : default;
        return principal.Type is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Type}:{Name}";
}
