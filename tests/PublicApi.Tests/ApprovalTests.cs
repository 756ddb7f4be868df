using System.Reflection;

namespace PublicApi.Tests;

/// <summary>
/// The public surface of each product assembly against the text that was last approved, so that changing it is a reviewed diff.
/// To approve what is there now, run with the environment variable <c>ACCEPT_PUBLIC_API=1</c> and commit the files.
/// </summary>
public sealed class ApprovalTests
{
    private static readonly string _root = FindRoot();

    internal static string Root => _root;

    public static TheoryData<string> Products =>
        [.. Directory.GetDirectories(Path.Combine(_root, "src")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Products))]
    public void Public_surface_is_as_approved(string product)
    {
        var actual = PublicSurface.Of(Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, product + ".dll")));
        var approvedFile = Path.Combine(_root, "tests", "PublicApi.Tests", "approved", product + ".txt");
        if (Environment.GetEnvironmentVariable("ACCEPT_PUBLIC_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(approvedFile)!);
            File.WriteAllText(approvedFile, actual);
        }

        Assert.SkipUnless(File.Exists(approvedFile), $"{product} has no approved surface yet; accept it with ACCEPT_PUBLIC_API=1 once it settles.");
        var approved = File.ReadAllText(approvedFile).Replace("\r\n", "\n", StringComparison.Ordinal);
        Assert.True(approved == actual, Difference(product, approved, actual));
    }

    [Fact]
    public void Approved_files_belong_to_product_assemblies()
    {
        var folder = Path.Combine(_root, "tests", "PublicApi.Tests", "approved");
        Assert.SkipUnless(Directory.Exists(folder), "Nothing is approved yet.");
        var approved = Directory.GetFiles(folder).Select(path => Path.GetFileNameWithoutExtension(path)!);
        Assert.Empty(approved.Except(Products.Select(row => row.Data)));
    }

    private static string Difference(string product, string approved, string actual)
    {
        // Lines with the type they belong to, since a member line alone does not say whose it is.
        var before = Qualified(approved);
        var after = Qualified(actual);
        var lines = before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line)).Order(new AfterTheSign());
        return $"""
            The public surface of {product} is not the approved one:
            {string.Join('\n', lines)}
            If that is meant: ACCEPT_PUBLIC_API=1 dotnet run --project tests/PublicApi.Tests, and commit the change of approved/{product}.txt.
            """;
    }

    private static HashSet<string> Qualified(string surface)
    {
        var lines = new HashSet<string>(StringComparer.Ordinal);
        var type = "";
        foreach (var line in surface.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!line.StartsWith(' '))
                type = line;
            lines.Add(line.StartsWith(' ') ? $"{type} | {line.Trim()}" : line);
        }

        return lines;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Streams.sln.");
    }

    private sealed class AfterTheSign : IComparer<string>
    {
        public int Compare(string? x, string? y) => string.CompareOrdinal(x![2..], y![2..]);
    }
}
