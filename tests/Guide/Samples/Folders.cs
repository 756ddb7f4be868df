namespace Guide.Samples;

internal static class Folders
{
    public static string New() => Path.Combine(Path.GetTempPath(), "streams-guide", Guid.NewGuid().ToString("n"));
}
