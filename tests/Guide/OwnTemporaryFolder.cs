[assembly: AssemblyFixture(typeof(Guide.OwnTemporaryFolder))]

namespace Guide;

/// <summary>
/// A temporary folder for this process alone: a snippet that says nothing of its state folder has it below the system's temporary one, under its application's
/// name, where another program of that name may have state, too.
/// </summary>
public sealed class OwnTemporaryFolder : IDisposable
{
    private static readonly string[] _variables = ["TMPDIR", "TMP", "TEMP"];
    private readonly Dictionary<string, string?> _before = _variables.ToDictionary(name => name, Environment.GetEnvironmentVariable);
    private readonly string _folder = Directory.CreateTempSubdirectory("streams-guide-").FullName;

    public OwnTemporaryFolder()
    {
        foreach (var name in _variables) Environment.SetEnvironmentVariable(name, _folder);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _before) Environment.SetEnvironmentVariable(name, value);
        Directory.Delete(_folder, recursive: true);
    }
}
