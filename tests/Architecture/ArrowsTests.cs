using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Architecture;

public sealed class ArrowsTests
{
    public static TheoryData<string> Products => [.. Repository.ProductNames];

    [Fact]
    public void Every_product_assembly_has_its_arrows_stated()
    {
        Assert.Equal(Arrows.Allowed.Keys.Order(StringComparer.Ordinal), Repository.ProductNames);
    }

    [Fact]
    public void Arrows_never_form_a_circle()
    {
        foreach (var product in Arrows.Allowed.Keys)
            Assert.DoesNotContain(product, Arrows.Reachable(product));
    }

    [Fact]
    public void Broker_and_streams_meet_only_in_the_protocol_and_the_embedded_adapter()
    {
        Assert.All(Arrows.Reachable("Broker.Lite"), name => Assert.False(name.StartsWith("Streams.", StringComparison.Ordinal)));
        var usersOfTheBroker = Arrows.Allowed.Keys.Where(product => Arrows.Reachable(product).Contains("Broker.Lite"));
        Assert.Equal(["Streams.Embedded", "Broker.Lite.Tool"], usersOfTheBroker);
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Project_file_has_only_the_allowed_project_references(string product)
    {
        var references = Items(product, "ProjectReference").Select(include => Path.GetFileNameWithoutExtension(include.Replace('\\', '/')));
        Assert.Empty(references.Except(Arrows.Allowed[product].Projects));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Project_file_has_only_the_allowed_packages(string product)
    {
        Assert.Empty(Items(product, "PackageReference").Except(Arrows.Allowed[product].Packages));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Project_file_has_only_the_allowed_framework(string product)
    {
        Assert.Equal(Arrows.Frameworks.TryGetValue(product, out var framework) ? [framework] : [], Items(product, "FrameworkReference"));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Built_assembly_references_only_what_its_arrows_reach(string product)
    {
        var reachable = Arrows.Reachable(product);
        var ours = ReferencedAssemblies(product).Where(Arrows.Allowed.ContainsKey);
        Assert.Empty(ours.Except(reachable));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Built_assembly_references_only_the_base_library_and_allowed_packages(string product)
    {
        // A package may come in through an arrow (the logging abstractions through Streams.Core), never from nowhere.
        var packages = Arrows.Reachable(product).Append(product).SelectMany(name => Arrows.Allowed[name].Packages);
        var foreign = ReferencedAssemblies(product)
            .Where(name => !Arrows.Allowed.ContainsKey(name))
            .Where(name => name is not ("System" or "mscorlib" or "netstandard" or "Microsoft.CSharp"))
            .Where(name => !(name.StartsWith("System.", StringComparison.Ordinal) && IsInTheSharedFramework(name)))
            .Where(name => !(name.StartsWith("Microsoft.Win32.", StringComparison.Ordinal) && IsInTheSharedFramework(name)))
            .Where(name => !(Arrows.Frameworks.TryGetValue(product, out var framework) && IsIn(framework, name)));
        Assert.Empty(foreign.Except(packages));
    }

    private static bool IsInTheSharedFramework(string assemblyName) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, assemblyName + ".dll"));

    // Frameworks lie side by side, each in folders of its versions.
    private static bool IsIn(string framework, string assemblyName) =>
        Directory.GetDirectories(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", framework))
            .Any(version => File.Exists(Path.Combine(version, assemblyName + ".dll")));

    private static IEnumerable<string> Items(string product, string kind) =>
        XDocument.Load(Repository.ProjectFile(product)).Descendants(kind).Select(item => (string)item.Attribute("Include")!);

    private static List<string> ReferencedAssemblies(string product)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(product)));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
