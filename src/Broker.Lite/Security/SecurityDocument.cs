using System.Text.Json.Serialization;
using Broker.Lite.Security.Acls;

namespace Broker.Lite.Security;

/// <summary>What <see cref="SecurityStore"/> keeps on disk.</summary>
internal sealed record SecurityDocument
{
    public int Version { get; set; } = 1;

    public List<ScramUserDocument> Scram { get; set; } = [];

    public List<AclBinding> Acls { get; set; } = [];

    public List<QuotaDocument> Quotas { get; set; } = [];
}

/// <summary>A user's keys for one mechanism.</summary>
internal sealed record ScramUserDocument(string User, string Mechanism, int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey);

/// <summary>The quotas of one entity: type of each part of it (user, client-id, ip) with its name, empty for the default.</summary>
internal sealed record QuotaDocument(SortedDictionary<string, string> Entity, SortedDictionary<string, double> Values);

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SecurityDocument))]
internal sealed partial class SecurityJsonContext : JsonSerializerContext;
