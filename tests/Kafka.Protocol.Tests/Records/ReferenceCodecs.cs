using System.Runtime.InteropServices;

namespace Kafka.Protocol.Tests.Records;

/// <summary>The C libraries that the managed codecs are checked against, where they are installed.</summary>
internal static unsafe class ReferenceCodecs
{
    public static byte[] SnappyCompress(nint library, ReadOnlySpan<byte> data)
    {
        var output = new byte[64 + (data.Length * 2)];
        nuint length = (nuint)output.Length;
        var compress = (delegate* unmanaged<byte*, nuint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "snappy_compress");
        fixed (byte* from = data)
        fixed (byte* to = output)
            Assert.Equal(0, compress(from, (nuint)data.Length, to, &length));
        return output[..(int)length];
    }

    public static byte[] SnappyUncompress(nint library, ReadOnlySpan<byte> data, int size)
    {
        var output = new byte[size];
        nuint length = (nuint)size;
        var uncompress = (delegate* unmanaged<byte*, nuint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "snappy_uncompress");
        fixed (byte* from = data)
        fixed (byte* to = output)
            Assert.Equal(0, uncompress(from, (nuint)data.Length, to, &length));
        Assert.Equal(size, (int)length);
        return output;
    }

    public static byte[] Lz4FrameCompress(nint library, ReadOnlySpan<byte> data, bool linked, bool checksums, bool contentSize)
    {
        var preferences = new Lz4Preferences
        {
            BlockSizeId = 4,
            BlockMode = linked ? 0 : 1,
            ContentChecksum = checksums ? 1 : 0,
            ContentSize = contentSize ? (ulong)data.Length : 0,
            BlockChecksum = checksums ? 1 : 0,
        };
        var output = new byte[1024 + (data.Length * 2)];
        var compress = (delegate* unmanaged<byte*, nuint, byte*, nuint, Lz4Preferences*, nuint>)NativeLibrary.GetExport(library, "LZ4F_compressFrame");
        fixed (byte* from = data)
        fixed (byte* to = output)
        {
            nuint length = compress(to, (nuint)output.Length, from, (nuint)data.Length, &preferences);
            Assert.InRange((long)length, 1, output.Length);
            return output[..(int)length];
        }
    }

    public static byte[] Lz4FrameDecompress(nint library, ReadOnlySpan<byte> data, int size)
    {
        var create = (delegate* unmanaged<nint*, uint, nuint>)NativeLibrary.GetExport(library, "LZ4F_createDecompressionContext");
        var free = (delegate* unmanaged<nint, nuint>)NativeLibrary.GetExport(library, "LZ4F_freeDecompressionContext");
        var decompress = (delegate* unmanaged<nint, byte*, nuint*, byte*, nuint*, void*, nuint>)NativeLibrary.GetExport(library, "LZ4F_decompress");
        nint context;
        Assert.Equal(0, (long)create(&context, 100));
        var output = new byte[size];
        int produced = 0;
        int consumed = 0;
        fixed (byte* from = data)
        fixed (byte* to = output)
        {
            nuint pending = 1;
            while (pending != 0)
            {
                nuint room = (nuint)(size - produced);
                nuint rest = (nuint)(data.Length - consumed);
                pending = decompress(context, to + produced, &room, from + consumed, &rest, null);
                Assert.True((long)pending >= 0 && (room > 0 || rest > 0 || pending == 0), "the reference library refuses the frame");
                produced += (int)room;
                consumed += (int)rest;
            }
        }

        free(context);
        Assert.Equal(size, produced);
        Assert.Equal(data.Length, consumed);
        return output;
    }

    /// <summary>liblz4's <c>LZ4F_preferences_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Lz4Preferences
    {
        public int BlockSizeId;
        public int BlockMode;
        public int ContentChecksum;
        public int FrameType;
        public ulong ContentSize;
        public uint DictionaryId;
        public int BlockChecksum;
        public int Level;
        public uint AutoFlush;
        public uint FavorDecompressionSpeed;
        public uint Reserved1;
        public uint Reserved2;
        public uint Reserved3;
    }
}
