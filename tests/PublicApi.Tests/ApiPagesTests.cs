using System.Reflection;
using System.Xml.Linq;

namespace PublicApi.Tests;

/// <summary>docs/api is what the documentation comments say. To write it anew, run with the environment variable <c>ACCEPT_PUBLIC_API=1</c> and commit the files.</summary>
public sealed class ApiPagesTests
{
    private static readonly string _folder = Path.Combine(ApprovalTests.Root, "docs", "api");

    /// <summary>Products with something public.</summary>
    public static TheoryData<string> Products => [.. Documented().Select(entry => entry.Product)];

    [Theory]
    [MemberData(nameof(Products))]
    public void Page_of_a_package_is_current(string product)
    {
        var assembly = Load(product);
        Check(product + ".md", ApiPages.Of(assembly, XDocument.Load(Path.Combine(AppContext.BaseDirectory, product + ".xml"))));
    }

    [Fact]
    public void Overview_is_current() => Check("README.md", ApiPages.Overview(Documented()));

    [Fact]
    public void Pages_belong_to_packages()
    {
        var pages = Directory.GetFiles(_folder, "*.md").Select(path => Path.GetFileNameWithoutExtension(path)!).Where(name => name != "README");
        Assert.Empty(pages.Except(Documented().Select(entry => entry.Product)));
    }

    [Fact]
    public void Comments_are_found_by_the_compilers_ids()
    {
        var page = ApiPages.Of(Load("Streams.Core"), XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Streams.Core.xml")));

        Assert.Contains("| `void Send(ProducerTopic topic, int partition, OutgoingRecord record)` | Hands a record over", page, StringComparison.Ordinal);
        Assert.Contains("| `ISerde<T> From<T>(ISerializer<T> serializer, IDeserializer<T> deserializer)` | A serde from its two halves.", page, StringComparison.Ordinal);
        var undocumented = page.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal) && line.EndsWith("` |  |", StringComparison.Ordinal)).ToList();
        Assert.True(undocumented.Count < page.Split('\n').Length / 50, $"{undocumented.Count} members without words:\n{string.Join('\n', undocumented.Take(20))}");
    }

    private static IEnumerable<(string Product, int Types)> Documented() => ApprovalTests.Products
        .Select(row => (Product: row.Data, Types: ApiPages.Types(Load(row.Data)).Count()))
        .Where(entry => entry.Types > 0);

    private static Assembly Load(string product) => Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, product + ".dll"));

    private static void Check(string file, string actual)
    {
        var path = Path.Combine(_folder, file);
        if (Environment.GetEnvironmentVariable("ACCEPT_PUBLIC_API") == "1")
        {
            Directory.CreateDirectory(_folder);
            File.WriteAllText(path, actual);
        }

        var current = File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == actual;
        Assert.True(current, $"docs/api/{file} is not what the documentation comments say. Write it anew: ACCEPT_PUBLIC_API=1 dotnet run --project tests/PublicApi.Tests, and commit docs/api.");
    }
}
