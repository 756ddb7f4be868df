using System.Runtime.InteropServices;

namespace Streams.State.RocksDb;

/// <summary>A native object that is freed once: when disposed, or by the finaliser when forgotten.</summary>
internal sealed class NativeHandle : SafeHandle
{
    private readonly Action<nint> _release;

    public NativeHandle(nint pointer, Action<nint> release)
        : base(nint.Zero, ownsHandle: true)
    {
        _release = release;
        SetHandle(pointer);
    }

    public override bool IsInvalid => handle == nint.Zero;

    protected override bool ReleaseHandle()
    {
        _release(handle);
        return true;
    }
}
