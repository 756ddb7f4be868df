namespace Streams.Kafka.Librdkafka;

/// <summary>
/// Arrays of exactly the length asked for, the same one again each time: Confluent.Kafka takes whole arrays only, and librdkafka copies them before its call returns.
/// </summary>
/// <remarks>Keeps one array per length up to <see cref="MaxKeptLength"/>: half a mebibyte at most. Longer ones are made each time. For one thread.</remarks>
internal sealed class ExactArrays
{
    private const int MaxKeptLength = 1024;

    private readonly byte[]?[] _kept = new byte[MaxKeptLength + 1][];

    public byte[] Copy(ReadOnlySpan<byte> bytes)
    {
        var array = bytes.Length <= MaxKeptLength ? _kept[bytes.Length] ??= new byte[bytes.Length] : GC.AllocateUninitializedArray<byte>(bytes.Length);
        bytes.CopyTo(array);
        return array;
    }
}
