using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Broker.Lite.Metadata;

/// <summary>
/// Forces a folder's entries to disk, so that a rename in it survives a power failure and not only a crash of the process.
/// </summary>
internal static partial class DirectorySync
{
    /// <summary>Flushes the folder. Windows has no such operation and needs none: its file systems log renames.</summary>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(directory, 0);
        if (descriptor < 0)
            throw new IOException($"Cannot open folder {directory}: error {Marshal.GetLastPInvokeError()}");
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Fsync(descriptor) != 0)
            throw new IOException($"Cannot flush folder {directory}: error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);
}
