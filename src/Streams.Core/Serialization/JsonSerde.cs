using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Core;

/// <summary>Values as JSON text in UTF-8, without byte order mark. Safe for several threads.</summary>
/// <remarks>The writer is kept between calls; a call that finds it in use by another thread makes one of its own.</remarks>
internal sealed class JsonSerde<T>(JsonTypeInfo<T> type) : ISerde<T>
{
    private Utf8JsonWriter? _idle;

    public void Serialize(T value, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var writer = Interlocked.Exchange(ref _idle, null);
        if (writer is null) writer = new Utf8JsonWriter(output, WriterOptions());
        else writer.Reset(output);
        try
        {
            JsonSerializer.Serialize(writer, value, type);
            writer.Flush();
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new SerializationException($"A {TypeNames.Of(typeof(T))} cannot be written as JSON: {failure.Message}", failure);
        }

        // A writer that failed is in the middle of something; it is not used again.
        Volatile.Write(ref _idle, writer);
    }

    public T Deserialize(ReadOnlySpan<byte> data)
    {
        try
        {
            return JsonSerializer.Deserialize(data, type)!;
        }
        catch (JsonException failure)
        {
            Throw(failure, data.Length);
            throw;
        }
        catch (NotSupportedException failure)
        {
            throw new SerializationException($"A {TypeNames.Of(typeof(T))} cannot be read from JSON: {failure.Message}", failure);
        }
    }

    [DoesNotReturn]
    private static void Throw(JsonException failure, int length)
    {
        // The message ends with path and position in the library's own notation; ours names the same once, so that it can be searched for.
        var line = failure.LineNumber is { } number ? $"line {number + 1}, byte {failure.BytePositionInLine + 1}" : $"{length} bytes";
        throw new SerializationException($"JSON at {failure.Path ?? "$"} ({line}) is no {TypeNames.Of(typeof(T))}: {failure.Message}", failure);
    }

    private JsonWriterOptions WriterOptions() => new()
    {
        Encoder = type.Options.Encoder,
        Indented = type.Options.WriteIndented,
        IndentCharacter = type.Options.IndentCharacter,
        IndentSize = type.Options.IndentSize,
        NewLine = type.Options.NewLine,
        MaxDepth = type.Options.MaxDepth,
        SkipValidation = true,
    };
}
