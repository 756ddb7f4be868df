using System.Diagnostics;

namespace Architecture;

/// <summary>The working tree these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] _unversionedFolders = [".git", "bin", "obj", "artifacts", "node_modules", "__pycache__"];

    /// <summary>The absolute path of the folder that holds Streams.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folders directly under <c>src/</c>, each one product assembly.</summary>
    public static IReadOnlyList<string> ProductNames { get; } =
        [.. Directory.GetDirectories(Path.Combine(Root, "src")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    public static string ProjectFile(string product) => Path.Combine(Root, "src", product, product + ".csproj");

    public static string Assembly(string product) => Path.Combine(AppContext.BaseDirectory, product + ".dll");

    /// <summary>
    /// The repository's files as paths relative to the root, with forward slashes: what git tracks, plus what is new and not ignored, so that
    /// a fault is reported before it is committed. In a source archive without git, everything but build output.
    /// </summary>
    public static IReadOnlyList<string> Files()
    {
        var start = new ProcessStartInfo("git", ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.Exists(Path.Combine(Root, ".git")))
        {
            using var git = Process.Start(start)!;
            var errors = git.StandardError.ReadToEndAsync();
            var output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            Assert.True(git.ExitCode == 0, $"git ls-files failed: {errors.Result}");
            return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Path.Combine(Root, path)))];
        }

        return
        [
            .. Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
                .Where(path => !path.Split('/').Any(_unversionedFolders.Contains)),
        ];
    }

    public static string ReadText(string relativePath) => File.ReadAllText(Path.Combine(Root, relativePath));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Streams.sln.");
    }
}
