using System.Diagnostics;

namespace Broker.Lite.Tests.Support;

/// <summary>A file system of a few megabytes in memory, mounted for one test. Only where the test may mount: as root on Linux.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>A file that takes room until it is deleted.</summary>
    public string Ballast => System.IO.Path.Combine(Path, "ballast");

    /// <summary>Mounts one, or skips the running test with the reason.</summary>
    public static SmallDisk MountOrSkip(int bytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A small file system is mounted on Linux only.");
        var path = Directory.CreateTempSubdirectory("broker-lite-disk-").FullName;
        var (code, output) = Run("mount", "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", path);
        if (code != 0)
            Directory.Delete(path);
        Assert.SkipUnless(code == 0, $"No file system may be mounted here: {output}");
        return new SmallDisk(path);
    }

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path, recursive: true);
    }

    private static (int Code, string Output) Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output.Trim());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
