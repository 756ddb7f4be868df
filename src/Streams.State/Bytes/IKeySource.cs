namespace Streams.State.Bytes;

/// <summary>Gives the key of a numbered entry.</summary>
internal interface IKeySource
{
    ReadOnlySpan<byte> KeyOf(int id);
}
