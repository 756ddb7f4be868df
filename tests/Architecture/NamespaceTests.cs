using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Architecture;

/// <summary>The public face of an assembly is one namespace, so that a user writes one <c>using</c>.</summary>
public sealed class NamespaceTests
{
    // A message class per API and version range is too much beside the primitives: these two have namespaces of their own.
    private static readonly Dictionary<string, string[]> _furtherNamespaces = new(StringComparer.Ordinal)
    {
        ["Kafka.Protocol"] = ["Kafka.Protocol.Messages", "Kafka.Protocol.Records"],
    };

    public static TheoryData<string> Products => [.. Repository.ProductNames];

    [Theory]
    [MemberData(nameof(Products))]
    public void Public_types_live_in_the_namespace_of_their_assembly(string product)
    {
        var allowed = _furtherNamespaces.GetValueOrDefault(product, []).Append(product);
        using var file = new PEReader(File.OpenRead(Repository.Assembly(product)));
        var metadata = file.GetMetadataReader();
        var strays =
            from handle in metadata.TypeDefinitions
            let type = metadata.GetTypeDefinition(handle)
            where (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public
            let place = metadata.GetString(type.Namespace)
            where !allowed.Contains(place)
            select $"{place}.{metadata.GetString(type.Name)}";
        Assert.Empty(strays);
    }
}
