using System.Buffers;
using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Streams.Dsl.Serialization;

/// <summary>
/// Reads and writes a tuple, a record or an anonymous type part by part, each with the serde of its type.
/// </summary>
/// <remarks>
/// Shape: for each part, in the order of the constructor, its length in bytes as 4 bytes big-endian, -1 for <c>null</c>, and the bytes. Equal
/// values have equal bytes if the parts' serdes give them, so it will do for keys. Parts are read by reflection: whoever processes millions of them
/// per second registers a serde of their own.
/// </remarks>
internal sealed class ComponentSerde<T>(ConstructorInfo constructor, IReadOnlyList<Component> components) : ISerde<T>
{
    private const int Absent = -1;

    public void Serialize(T value, IBufferWriter<byte> output)
    {
        var buffer = new SerdeBuffer(64);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var component in components)
        {
            buffer.Clear();
            var part = component.Get(value!);
            if (part is not null) component.Serde.Write(part, buffer);
            BinaryPrimitives.WriteInt32BigEndian(length, part is null ? Absent : buffer.WrittenCount);
            output.Write(length);
            if (part is not null) output.Write(buffer.WrittenSpan);
        }
    }

    public T Deserialize(ReadOnlySpan<byte> data)
    {
        var parts = new object?[components.Count];
        for (var index = 0; index < parts.Length; index++)
        {
            var component = components[index];
            if (data.Length < sizeof(int)) throw Malformed(component, "the bytes end before its length");
            var length = BinaryPrimitives.ReadInt32BigEndian(data);
            data = data[sizeof(int)..];
            if (length == Absent)
            {
                if (!component.CanBeNull) throw Malformed(component, "it is absent, and its type cannot be null");
                continue;
            }

            if (length < 0 || length > data.Length) throw Malformed(component, $"its length is {length}, and {data.Length} bytes are left");
            parts[index] = component.Serde.Read(data[..length]);
            data = data[length..];
        }

        if (data.Length > 0) throw new SerializationException($"{TypeNames.Of(typeof(T))}: {data.Length} bytes are left after the last part.");
        return Make(parts);
    }

    private static SerializationException Malformed(Component component, string what) => new($"{TypeNames.Of(typeof(T))}, part '{component.Name}': {what}.");

    private T Make(object?[] parts)
    {
        try
        {
            return (T)constructor.Invoke(parts);
        }
        catch (TargetInvocationException failure) when (failure.InnerException is not null)
        {
            // A record's own check of its arguments is what the reader of the message wants to see.
            ExceptionDispatchInfo.Throw(failure.InnerException);
            throw;
        }
    }
}

/// <summary>A part of a tuple, record or anonymous type.</summary>
internal sealed record Component(string Name, bool CanBeNull, Func<object, object?> Get, ComponentCodec Serde);

/// <summary>A serde whose type is known to itself only.</summary>
internal abstract class ComponentCodec
{
    public abstract void Write(object value, IBufferWriter<byte> output);

    public abstract object? Read(ReadOnlySpan<byte> data);
}

internal sealed class ComponentCodec<C>(ISerde<C> serde) : ComponentCodec
{
    public override void Write(object value, IBufferWriter<byte> output) => serde.Serialize((C)value, output);

    public override object? Read(ReadOnlySpan<byte> data) => serde.Deserialize(data);
}
