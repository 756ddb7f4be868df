namespace Guide.Samples;

internal static class Folders
{
    public static string New() => Path.Combine(Path.GetTempPath(), "streams-guide", Guid.NewGuid().ToString("n"));
}

/// <summary>A folder that is deleted at the end.</summary>
internal sealed class TemporaryFolder(string path) : IDisposable
{
    public void Dispose()
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }
}
