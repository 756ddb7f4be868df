namespace Streams.Hosting.AspNetCore.Tests;

/// <summary><c>… app …</c> is one instance of the application under test (<see cref="CountsProcess"/>); anything else runs the tests.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["app", ..]) return await CountsProcess.RunAsync(args[1..]);
        return args.Any(argument => argument is "-automated" or "@@")
            ? await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args)
            : await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
    }
}
