using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Dsl.Deduplication;

/// <summary>What makes a record a duplicate of another: the same id under the same key.</summary>
internal readonly record struct KeyAndId<K, TId>(K Key, TId Id);

/// <summary>A key and an id: 4 bytes length of the key, big-endian, the key, the id.</summary>
internal sealed class KeyAndIdSerde<K, TId>(ISerde<K> keySerde, ISerde<TId> idSerde) : ISerde<KeyAndId<K, TId>>
{
    public void Serialize(KeyAndId<K, TId> value, IBufferWriter<byte> output)
    {
        // Of its own per call: tasks on different threads share the serde.
        var key = new SerdeBuffer(64);
        keySerde.Serialize(value.Key, key);
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), key.WrittenCount);
        output.Advance(sizeof(int));
        output.Write(key.WrittenSpan);
        idSerde.Serialize(value.Id, output);
    }

    public KeyAndId<K, TId> Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.Length < sizeof(int)) throw new SerializationException($"A key and id are malformed: {data.Length} bytes are too few.");
        var length = BinaryPrimitives.ReadInt32BigEndian(data);
        data = data[sizeof(int)..];
        if (length < 0 || length > data.Length) throw new SerializationException($"A key and id are malformed: the key claims {length} of {data.Length} bytes.");
        return new KeyAndId<K, TId>(keySerde.Deserialize(data[..length]), idSerde.Deserialize(data[length..]));
    }
}
