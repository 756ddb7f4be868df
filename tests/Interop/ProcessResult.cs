namespace Interop;

/// <summary>How a process ended and what it said. <paramref name="Output"/> holds one character for each byte.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Errors)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails the test with the process's own words unless it ended with code 0.</summary>
    public ProcessResult ShouldSucceed()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Errors}\n{Output[..Math.Min(Output.Length, 4000)]}");
        return this;
    }
}
