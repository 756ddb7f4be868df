using System.Buffers;

namespace Streams.Core;

/// <summary>Turns values into bytes. Never called for an absent key or value.</summary>
/// <remarks>Implementations are shared between threads, so they keep no state between calls.</remarks>
/// <typeparam name="T">Value type.</typeparam>
public interface ISerializer<in T>
{
    /// <summary>Appends the value's bytes.</summary>
    /// <param name="value">A value, never <c>null</c>.</param>
    /// <param name="output">Receives the bytes.</param>
    void Serialize(T value, IBufferWriter<byte> output);
}

/// <summary>Turns bytes into values. Never called for an absent key or value.</summary>
/// <remarks>Implementations are shared between threads, so they keep no state between calls.</remarks>
/// <typeparam name="T">Value type.</typeparam>
public interface IDeserializer<out T>
{
    /// <summary>Reads a value from exactly the given bytes, which are valid during the call only.</summary>
    /// <exception cref="SerializationException">The bytes are not a value of this type.</exception>
    T Deserialize(ReadOnlySpan<byte> data);
}

/// <summary>Both directions for one type.</summary>
/// <typeparam name="T">Value type.</typeparam>
public interface ISerde<T> : ISerializer<T>, IDeserializer<T>;
