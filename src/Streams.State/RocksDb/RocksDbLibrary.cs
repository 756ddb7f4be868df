using System.Runtime.InteropServices;

namespace Streams.State.RocksDb;

/// <summary>
/// Finds RocksDB's C library: beside the application (NuGet's <c>runtimes/&lt;rid&gt;/native</c>), under its plain name on the system's search path, or under
/// the versioned names that distributions give it.
/// </summary>
internal static class RocksDbLibrary
{
    public const string Name = "librocksdb";

    private static readonly Lazy<nint> Handle = new(Find, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Loads the library.</summary>
    /// <exception cref="StateStoreException">It is nowhere; the message says what to install.</exception>
    public static void Load() => _ = Handle.Value;

    private static nint Find()
    {
        var assembly = typeof(RocksDbLibrary).Assembly;
        var handle = nint.Zero;
        foreach (var candidate in Candidates())
        {
            if (NativeLibrary.TryLoad(candidate, assembly, searchPath: null, out handle)) break;
        }

        if (handle == 0)
        {
            throw new StateStoreException(
                "RocksDB's native library (librocksdb) was not found, and a persistent store needs it. Install it (Debian: apt install librocksdb7.8; Fedora: "
                + "dnf install rocksdb; macOS: brew install rocksdb), or add a NuGet package that carries it under runtimes/<rid>/native, such as RocksDB. "
                + "In-memory stores do without.");
        }

        NativeLibrary.SetDllImportResolver(assembly, (name, _, _) => name == Name ? handle : nint.Zero);
        return handle;
    }

    private static IEnumerable<string> Candidates()
    {
        yield return Name;
        yield return "rocksdb";
        if (OperatingSystem.IsWindows()) yield break;
        if (OperatingSystem.IsMacOS())
        {
            yield return "/opt/homebrew/lib/librocksdb.dylib";
            yield return "/usr/local/lib/librocksdb.dylib";
            yield break;
        }

        yield return "librocksdb.so.7.8";
        var architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            var other => other.ToString().ToLowerInvariant(),
        };
        string[] folders = [$"/usr/lib/{architecture}-linux-gnu", "/usr/lib64", "/usr/local/lib", "/usr/lib"];
        foreach (var folder in folders.Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "librocksdb.so*").Order(StringComparer.Ordinal).Reverse()) yield return file;
        }
    }
}
