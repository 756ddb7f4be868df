using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>What the right side of a foreign-key join is to do with a subscription. The numbers are on the wire.</summary>
internal enum SubscriptionInstruction : byte
{
    /// <summary>Forget it; another subscription of the row answers.</summary>
    DeleteKeyNoPropagate = 0,

    /// <summary>Forget it, and answer that there is no partner.</summary>
    DeleteKeyAndPropagate = 1,

    /// <summary>Keep it, and answer with the partner or that there is none.</summary>
    PropagateNullIfNoForeignValue = 2,

    /// <summary>Keep it, and answer if there is a partner.</summary>
    PropagateOnlyIfForeignValue = 3,
}

/// <summary>A row of the left table that wants to know about the right row with its foreign key.</summary>
/// <param name="Hash">Hash of the left row's value; <c>null</c> when the row is gone.</param>
/// <param name="Instruction">What to do.</param>
/// <param name="PrimaryKey">The left row's key.</param>
/// <param name="PrimaryPartition">Partition that the left row is in, where answers go; <c>null</c> from before version 1.</param>
internal readonly record struct Subscription<K>(ValueHash? Hash, SubscriptionInstruction Instruction, K PrimaryKey, int? PrimaryPartition);

/// <summary>The right side's answer: the hash it was asked with, and the partner, if there is one.</summary>
internal readonly record struct SubscriptionResponse<V>(ValueHash? Hash, V ForeignValue, bool HasForeignValue, int? PrimaryPartition);

/// <summary>
/// Subscriptions as bytes: 1 byte with the version in 7 bits and a flag in the highest for "no hash", 1 byte instruction, 16 bytes hash unless there is
/// none, the primary key, and from version 1 on 4 bytes with the primary partition.
/// </summary>
/// <remarks>Source: Kafka's <c>SubscriptionWrapperSerde</c>, KIP-213 and KIP-775.</remarks>
internal sealed class SubscriptionSerde<K>(ISerde<K> keySerde) : ISerde<Subscription<K>>
{
    private const byte CurrentVersion = 1;

    public void Serialize(Subscription<K> value, IBufferWriter<byte> output)
    {
        var head = output.GetSpan(2);
        head[0] = value.Hash is null ? (byte)(CurrentVersion | HashFormat.NoHashFlag) : CurrentVersion;
        head[1] = (byte)value.Instruction;
        output.Advance(2);
        HashFormat.Write(value.Hash, output);
        keySerde.Serialize(value.PrimaryKey, output);
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), value.PrimaryPartition ?? 0);
        output.Advance(sizeof(int));
    }

    public Subscription<K> Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2) throw HashFormat.TooShort("subscription", data.Length);
        var version = data[0] & ~HashFormat.NoHashFlag;
        if (version > CurrentVersion)
            throw new SerializationException($"A subscription of a foreign-key join has version {version}; this library knows up to {CurrentVersion}. It was written by a newer one.");
        var hasHash = (data[0] & HashFormat.NoHashFlag) == 0;
        var instruction = data[1];
        if (instruction > (byte)SubscriptionInstruction.PropagateOnlyIfForeignValue)
            throw new SerializationException($"A subscription of a foreign-key join has the unknown instruction {instruction}.");
        data = data[2..];
        var hash = HashFormat.Read(hasHash, ref data, "subscription");
        int? partition = null;
        if (version >= 1)
        {
            if (data.Length < sizeof(int)) throw HashFormat.TooShort("subscription", data.Length);
            partition = BinaryPrimitives.ReadInt32BigEndian(data[^sizeof(int)..]);
            data = data[..^sizeof(int)];
        }

        return new Subscription<K>(hash, (SubscriptionInstruction)instruction, keySerde.Deserialize(data), partition);
    }
}

/// <summary>Answers as bytes: 1 byte version with the flag for "no hash", 16 bytes hash unless there is none, the partner's value unless there is none.</summary>
/// <remarks>Source: Kafka's <c>SubscriptionResponseWrapperSerde</c>.</remarks>
internal sealed class SubscriptionResponseSerde<V>(ISerde<V> valueSerde) : ISerde<SubscriptionResponse<V>>
{
    public void Serialize(SubscriptionResponse<V> value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = value.Hash is null ? HashFormat.NoHashFlag : (byte)0;
        output.Advance(1);
        HashFormat.Write(value.Hash, output);
        if (value.HasForeignValue) valueSerde.Serialize(value.ForeignValue, output);
    }

    public SubscriptionResponse<V> Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) throw HashFormat.TooShort("answer", 0);
        var version = data[0] & ~HashFormat.NoHashFlag;
        if (version != 0) throw new SerializationException($"An answer of a foreign-key join has version {version}; this library knows 0. It was written by a newer one.");
        var hasHash = (data[0] & HashFormat.NoHashFlag) == 0;
        data = data[1..];
        var hash = HashFormat.Read(hasHash, ref data, "answer");

        // An empty rest means "no partner": the format has no other way to say it.
        return data.IsEmpty
            ? new SubscriptionResponse<V>(hash, default!, false, null)
            : new SubscriptionResponse<V>(hash, valueSerde.Deserialize(data), true, null);
    }
}

/// <summary>The hash in front of what both formats carry.</summary>
internal static class HashFormat
{
    public const byte NoHashFlag = 0x80;
    private const int HashBytes = 2 * sizeof(ulong);

    public static void Write(ValueHash? hash, IBufferWriter<byte> output)
    {
        if (hash is not { } value) return;
        var span = output.GetSpan(HashBytes);
        BinaryPrimitives.WriteUInt64BigEndian(span, value.High);
        BinaryPrimitives.WriteUInt64BigEndian(span[sizeof(ulong)..], value.Low);
        output.Advance(HashBytes);
    }

    public static ValueHash? Read(bool hasHash, ref ReadOnlySpan<byte> data, string what)
    {
        if (!hasHash) return null;
        if (data.Length < HashBytes) throw TooShort(what, data.Length);
        var hash = new ValueHash(BinaryPrimitives.ReadUInt64BigEndian(data), BinaryPrimitives.ReadUInt64BigEndian(data[sizeof(ulong)..]));
        data = data[HashBytes..];
        return hash;
    }

    public static SerializationException TooShort(string what, int length) =>
        new($"The {what} of a foreign-key join ends {length} bytes too early to be one. Was it written by something else?");
}

/// <summary>Foreign key and primary key together: the key of a subscription.</summary>
/// <param name="ForeignKey">Key of the right row.</param>
/// <param name="HasForeignKey">False for a left row without foreign key, in a left join.</param>
/// <param name="PrimaryKey">Key of the left row.</param>
internal readonly record struct CombinedKey<KO, K>(KO ForeignKey, bool HasForeignKey, K PrimaryKey);

/// <summary>Combined keys as bytes: 4 bytes length of the foreign key, the foreign key, the primary key; so all of one foreign key are a range.</summary>
/// <remarks>Source: Kafka's <c>CombinedKeySchema</c>.</remarks>
internal sealed class CombinedKeySerde<KO, K>(ISerde<KO> foreignSerde, ISerde<K> primarySerde) : ISerde<CombinedKey<KO, K>>
{
    /// <summary>Writes the part that all subscriptions to one foreign key begin with.</summary>
    public ISerializer<KO> Prefix { get; } = new PrefixSerializer(foreignSerde);

    public void Serialize(CombinedKey<KO, K> value, IBufferWriter<byte> output)
    {
        Prefix.Serialize(value.ForeignKey, output);
        primarySerde.Serialize(value.PrimaryKey, output);
    }

    public CombinedKey<KO, K> Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.Length < sizeof(int)) throw HashFormat.TooShort("combined key", data.Length);
        var length = BinaryPrimitives.ReadInt32BigEndian(data);
        data = data[sizeof(int)..];
        if (length < 0 || length > data.Length)
            throw new SerializationException($"A combined key of a foreign-key join claims a foreign key of {length} bytes where {data.Length} are left.");
        return new CombinedKey<KO, K>(foreignSerde.Deserialize(data[..length]), true, primarySerde.Deserialize(data[length..]));
    }

    private sealed class PrefixSerializer(ISerde<KO> foreignSerde) : ISerializer<KO>
    {
        public void Serialize(KO value, IBufferWriter<byte> output)
        {
            // The length goes before the key, so the key is serialised aside first.
            var key = new ArrayBufferWriter<byte>();
            foreignSerde.Serialize(value, key);
            BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), key.WrittenCount);
            output.Advance(sizeof(int));
            output.Write(key.WrittenSpan);
        }
    }
}
