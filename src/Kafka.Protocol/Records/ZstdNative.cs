using System.Reflection;
using System.Runtime.InteropServices;

namespace Kafka.Protocol.Records;

/// <summary>The few functions of libzstd (1.4 or later) that are used, found under the names it has on each system.</summary>
internal static unsafe partial class ZstdNative
{
    private const string Library = "libzstd";

    private static readonly nint s_library = Load();

    static ZstdNative() => NativeLibrary.SetDllImportResolver(typeof(ZstdNative).Assembly, Resolve);

    public static bool IsAvailable => s_library != 0;

    public static void ThrowIfMissing()
    {
        if (s_library == 0)
        {
            throw new CompressionUnavailableException(
                CompressionType.Zstd,
                "zstd needs the native library libzstd, which was not found: install the package libzstd1 (Debian, Ubuntu), libzstd (Fedora, "
                + "Alpine: zstd-libs), zstd (Homebrew), or put libzstd.dll next to the program (Windows).");
        }
    }

    public static CompressionContext CreateCompressionContext() => Created(CreateCompressor());

    public static DecompressionContext CreateDecompressionContext() => Created(CreateDecompressor());

    public static string ErrorText(nuint code) => Marshal.PtrToStringUTF8(ErrorName(code)) ?? "unknown error";

    /// <summary>Forgets a frame that was abandoned midway.</summary>
    public static void ResetDecompression(DecompressionContext context) => Reset(context, 1);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    public static partial nuint CompressBound(nuint size);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressCCtx")]
    public static partial nuint Compress(CompressionContext context, byte* output, nuint capacity, byte* source, nuint size, int level);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    public static partial nuint DecompressStream(DecompressionContext context, ref Buffer output, ref Buffer input);

    [LibraryImport(Library, EntryPoint = "ZSTD_sizeof_DCtx")]
    public static partial nuint SizeOf(DecompressionContext context);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    public static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    private static partial CompressionContext CreateCompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    private static partial nuint FreeCompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    private static partial DecompressionContext CreateDecompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    private static partial nuint FreeDecompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_DCtx_reset")]
    private static partial nuint Reset(DecompressionContext context, int directive);

    private static T Created<T>(T context)
        where T : SafeHandle =>
        context.IsInvalid ? throw new InvalidOperationException("zstd could not allocate a context.") : context;

    private static nint Load()
    {
        foreach (string name in (ReadOnlySpan<string>)["libzstd.so.1", "libzstd.so", "libzstd.1.dylib", "libzstd.dylib", "libzstd.dll", "zstd.dll"])
        {
            if (NativeLibrary.TryLoad(name, typeof(ZstdNative).Assembly, null, out nint library))
                return library;
        }

        // Homebrew on Apple silicon is not on the loader's path.
        return NativeLibrary.TryLoad("/opt/homebrew/lib/libzstd.dylib", out nint homebrew) ? homebrew : 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Library ? s_library : 0;

    /// <summary>libzstd's <c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>, which have the same shape.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Buffer
    {
        public nint Start;
        public nuint Size;
        public nuint Position;
    }

    public sealed class CompressionContext() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => FreeCompressor(handle) == 0;
    }

    public sealed class DecompressionContext() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => FreeDecompressor(handle) == 0;
    }
}
