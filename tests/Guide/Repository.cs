namespace Guide;

/// <summary>The working tree these tests were built from.</summary>
internal static class Repository
{
    private static readonly string _root = FindRoot();

    /// <summary>Files below a folder, relative to the root and with forward slashes; build output left out.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern)
    {
        var path = Path.Combine(_root, folder);
        return !Directory.Exists(path)
            ? []
            :
            [
                .. Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories)
                    .Select(file => Path.GetRelativePath(_root, file).Replace('\\', '/'))
                    .Where(file => !file.Split('/').Any(part => part is "bin" or "obj"))
                    .Order(StringComparer.Ordinal),
            ];
    }

    public static bool Has(string relativePath) => File.Exists(Path.Combine(_root, relativePath)) || Directory.Exists(Path.Combine(_root, relativePath));

    public static string ReadText(string relativePath) => File.ReadAllText(Path.Combine(_root, relativePath));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Streams.sln.");
    }
}
