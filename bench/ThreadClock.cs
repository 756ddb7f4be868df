using System.Runtime.InteropServices;

namespace Bench;

/// <summary>CPU time of the calling thread: what shared, noisy machines leave comparable.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID on Linux

    /// <summary>CPU time so far in microseconds; of the whole process where the system has no clock per thread.</summary>
    public static double Microseconds()
    {
        if (OperatingSystem.IsLinux() && ClockGetTime(ThreadCpuTime, out var time) == 0) return (time.Seconds * 1e6) + (time.Nanoseconds / 1e3);
        return Environment.CpuUsage.TotalTime.TotalMicroseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
