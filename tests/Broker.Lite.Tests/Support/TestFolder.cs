namespace Broker.Lite.Tests.Support;

/// <summary>A data folder that goes with the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Logs.LogFixture.CreateFolder();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
