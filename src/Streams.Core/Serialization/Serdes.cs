using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Core;

/// <summary>Built-in serdes, byte-compatible with Kafka's Java serializers: integers and floats big-endian, text UTF-8, a Guid as its 36-character text.</summary>
public static class Serdes
{
    /// <summary>UTF-8 text.</summary>
    public static ISerde<string> String { get; } = new StringSerde();

    /// <summary>8 bytes, big-endian. Kafka's <c>Serdes.Long</c>.</summary>
    public static ISerde<long> Int64 { get; } = new Int64Serde();

    /// <summary>8 bytes, big-endian, unsigned.</summary>
    public static ISerde<ulong> UInt64 { get; } = new UInt64Serde();

    /// <summary>4 bytes, big-endian. Kafka's <c>Serdes.Integer</c>.</summary>
    public static ISerde<int> Int32 { get; } = new Int32Serde();

    /// <summary>4 bytes, big-endian, unsigned.</summary>
    public static ISerde<uint> UInt32 { get; } = new UInt32Serde();

    /// <summary>2 bytes, big-endian. Kafka's <c>Serdes.Short</c>.</summary>
    public static ISerde<short> Int16 { get; } = new Int16Serde();

    /// <summary>2 bytes, big-endian, unsigned.</summary>
    public static ISerde<ushort> UInt16 { get; } = new UInt16Serde();

    /// <summary>1 byte.</summary>
    public static ISerde<byte> Byte { get; } = new ByteSerde();

    /// <summary>1 byte, signed.</summary>
    public static ISerde<sbyte> SByte { get; } = new SByteSerde();

    /// <summary>1 byte, 0 or 1.</summary>
    public static ISerde<bool> Boolean { get; } = new BooleanSerde();

    /// <summary>8 bytes, IEEE 754 big-endian.</summary>
    public static ISerde<double> Double { get; } = new DoubleSerde();

    /// <summary>4 bytes, IEEE 754 big-endian. Kafka's <c>Serdes.Float</c>.</summary>
    public static ISerde<float> Single { get; } = new SingleSerde();

    /// <summary>36 characters of text. Kafka's <c>Serdes.UUID</c>.</summary>
    public static ISerde<Guid> Guid { get; } = new GuidSerde();

    /// <summary>Bytes as they are.</summary>
    public static ISerde<byte[]> ByteArray { get; } = new ByteArraySerde();

    /// <summary>Bytes as they are. Kafka's <c>Serdes.Bytes</c>.</summary>
    public static ISerde<ReadOnlyMemory<byte>> Memory { get; } = new MemorySerde();

    /// <summary>A serde for the nullable form of a struct.</summary>
    public static ISerde<T?> Nullable<T>(ISerde<T> inner)
        where T : struct => new NullableSerde<T>(inner);

    /// <summary>Lists of values, byte-compatible with Kafka's <c>Serdes.ListSerde</c>. For lists with null entries of a struct, wrap the elements' serde in <see cref="Nullable{T}"/>.</summary>
    public static ISerde<IReadOnlyList<T>> List<T>(ISerde<T> inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return new ListSerde<T>(inner);
    }

    /// <summary>
    /// Values as JSON text in UTF-8, as a source-generated context describes their type: <c>Serdes.Json(OrdersContext.Default.Order)</c>. Needs no reflection, so
    /// it works trimmed and compiled ahead of time.
    /// </summary>
    /// <remarks>
    /// The options are the context's. The JSON text <c>null</c> is an absent value where the type can be <c>null</c>, and an error otherwise; a record without
    /// value never gets here. Text that does not fit the type is a <see cref="SerializationException"/> which names type, property and position. Use it for keys
    /// only if equal keys are written equally: records are partitioned and looked up by bytes.
    /// </remarks>
    public static ISerde<T> Json<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new JsonSerde<T>(type);
    }

    /// <summary>Values as JSON text in UTF-8, by reflection. Otherwise as <see cref="Json{T}(JsonTypeInfo{T})"/>.</summary>
    /// <param name="options">How the text looks; <c>null</c> for <see cref="JsonSerializerOptions.Default"/>. They can be changed no more afterwards.</param>
    [RequiresUnreferencedCode("Looks at the type by reflection. Give a JsonTypeInfo from a source-generated context where the program is trimmed.")]
    [RequiresDynamicCode("Looks at the type by reflection. Give a JsonTypeInfo from a source-generated context where the program is compiled ahead of time.")]
    public static ISerde<T> Json<T>(JsonSerializerOptions? options = null)
    {
        options ??= JsonSerializerOptions.Default;
        options.MakeReadOnly(populateMissingResolver: true);
        return new JsonSerde<T>((JsonTypeInfo<T>)options.GetTypeInfo(typeof(T)));
    }

    /// <summary>A serde from its two halves.</summary>
    public static ISerde<T> From<T>(ISerializer<T> serializer, IDeserializer<T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        return serializer is ISerde<T> both && ReferenceEquals(serializer, deserializer) ? both : new PairedSerde<T>(serializer, deserializer);
    }

    /// <summary>The built-in serde of a type; false when there is none.</summary>
    public static bool TryGetBuiltIn<T>([NotNullWhen(true)] out ISerde<T>? serde)
    {
        serde = BuiltIn<T>.Serde;
        return serde is not null;
    }

    /// <summary>
    /// Whether a value, once made, can be kept and shared because nobody can change it: text, numbers and other structs without references.
    /// Stores keep only such values in typed form; others are kept as bytes, so that changing an object after a put changes nothing.
    /// </summary>
    internal static bool IsImmutable<T>() => typeof(T) == typeof(string) || !RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    private sealed class PairedSerde<T>(ISerializer<T> serializer, IDeserializer<T> deserializer) : ISerde<T>
    {
        public void Serialize(T value, System.Buffers.IBufferWriter<byte> output) => serializer.Serialize(value, output);

        public T Deserialize(ReadOnlySpan<byte> data) => deserializer.Deserialize(data);
    }

    private static class BuiltIn<T>
    {
        public static readonly ISerde<T>? Serde = Find();

        private static ISerde<T>? Find() =>
            String as ISerde<T> ?? Int64 as ISerde<T> ?? Int32 as ISerde<T> ?? Int16 as ISerde<T> ?? UInt64 as ISerde<T> ?? UInt32 as ISerde<T>
            ?? UInt16 as ISerde<T> ?? Byte as ISerde<T> ?? SByte as ISerde<T> ?? Boolean as ISerde<T> ?? Double as ISerde<T> ?? Single as ISerde<T>
            ?? Guid as ISerde<T> ?? ByteArray as ISerde<T> ?? Memory as ISerde<T> ?? NullableForms();

        private static ISerde<T>? NullableForms() =>
            new NullableSerde<long>(Int64) as ISerde<T> ?? new NullableSerde<int>(Int32) as ISerde<T> ?? new NullableSerde<short>(Int16) as ISerde<T>
            ?? new NullableSerde<bool>(Boolean) as ISerde<T> ?? new NullableSerde<double>(Double) as ISerde<T> ?? new NullableSerde<float>(Single) as ISerde<T>
            ?? new NullableSerde<Guid>(Guid) as ISerde<T>;
    }
}
