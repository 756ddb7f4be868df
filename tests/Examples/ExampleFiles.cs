using System.Reflection;

namespace Examples;

/// <summary>Where the examples are.</summary>
internal static class ExampleFiles
{
    /// <summary>The built program of an example.</summary>
    public static string Program(string example) => Path.GetFullPath(Path.Combine(Metadata("ExamplesFolder"), example, Metadata("ExamplesOutput"), example + ".dll"));

    /// <summary>The text of an example's README.</summary>
    public static string Readme(string example) => File.ReadAllText(Path.Combine(Metadata("ExamplesFolder"), example, "README.md"));

    private static string Metadata(string name) =>
        typeof(ExampleFiles).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == name).Value!;
}
