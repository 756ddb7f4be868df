namespace Conformance;

/// <summary>
/// <c>Conformance FOLDER</c> runs every recorded case in a folder and says which of them this library reproduces; without a folder it runs its tests.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args.Length == 1 && Directory.Exists(args[0])) return Report.Print(CaseRunner.RunFolder(args[0]), args[0], Console.Out);
        if (args.Length == 1 && !args[0].StartsWith('-') && !args[0].StartsWith('@'))
        {
            await Console.Error.WriteLineAsync($"There is no folder '{args[0]}'. Usage: Conformance FOLDER").ConfigureAwait(false);
            return 2;
        }

        return args.Any(argument => argument is "-automated" or "@@")
            ? await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).ConfigureAwait(false)
            : await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions).ConfigureAwait(false);
    }
}
