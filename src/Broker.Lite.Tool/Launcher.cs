namespace Broker.Lite.Tool;

/// <summary>
/// The <c>broker</c> command as a .NET tool. A package is either a library or a tool, and Broker.Lite's is the library: this one only starts its program.
/// </summary>
internal static class Launcher
{
    public static Task<int> Main(string[] args) => Host.Program.Main(args);
}
