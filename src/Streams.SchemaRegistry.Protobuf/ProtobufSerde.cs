using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Streams.Core;

namespace Streams.SchemaRegistry.Protobuf;

/// <summary>Messages of protoc's C# classes in Confluent's framing. Thread-safe.</summary>
/// <remarks>
/// <para>The schema is the file that the message is defined in, as its serialised descriptor in Base64, which registries take as well as text; files it imports are registered first, each under
/// its path as subject, except Google's own. A reader needs no registry: the message path is read past, and the bytes are read as <typeparamref name="T"/> by field number.</para>
/// <para>Two equal messages with map fields may have different bytes, as entries are written in the order they were put in. Where bytes decide — keys, and the left side of a foreign-key
/// join — such a message is the wrong choice.</para>
/// Source: Confluent's <c>KafkaProtobufSerializer</c>.
/// </remarks>
/// <typeparam name="T">Message type.</typeparam>
public sealed class ProtobufSerde<T> : ISerde<T>
    where T : IMessage<T>, new()
{
    private const int Unknown = -1;

    private readonly SchemaSerdeOptions _options;
    private readonly SchemaIdResolver _ids;
    private readonly MessageParser<T> _parser = new(static () => new T());
    private readonly MessageDescriptor _descriptor = new T().Descriptor;
    private readonly int[] _path;
    private volatile int _id = Unknown;

    /// <summary>Creates a serde.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="options">How it is used.</param>
    public ProtobufSerde(ISchemaRegistry registry, SchemaSerdeOptions options)
    {
        _ids = new SchemaIdResolver(registry, options);
        _options = options;
        _path = PathOf(_descriptor);
    }

    /// <summary>Finds or registers the schema and those it imports now, so that the first value does not wait for the registry.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken = default) => _id = await ResolveAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <exception cref="SchemaRegistryException">The registry refuses the schema or cannot be reached.</exception>
    public void Serialize(T value, IBufferWriter<byte> output)
    {
        var id = _id;

        // On another thread, so that a caller with a synchronisation context does not wait for itself.
        if (id == Unknown) _id = id = Task.Run(() => ResolveAsync(CancellationToken.None)).GetAwaiter().GetResult();
        WireFormat.WriteHeader(id, output);
        WireFormat.WriteMessagePath(_path, output);
        value.WriteTo(output);
    }

    /// <inheritdoc/>
    public T Deserialize(ReadOnlySpan<byte> data)
    {
        var id = WireFormat.ReadHeader(ref data);
        WireFormat.ReadMessagePath(ref data);
        try
        {
            return _parser.ParseFrom(data);
        }
        catch (InvalidProtocolBufferException failure)
        {
            throw new SerializationException($"A Protobuf value (schema {id}) is not a {_descriptor.FullName}: {failure.Message}", failure);
        }
    }

    private async Task<int> ResolveAsync(CancellationToken cancellationToken)
    {
        // With the newest version there is nothing to register; the schema given then only says which language.
        var references = _options.UseLatestVersion ? [] : await ReferencesAsync(_descriptor.File, [], cancellationToken).ConfigureAwait(false);
        var (id, _) = await _ids.ResolveAsync(SchemaOf(_descriptor.File, references), _descriptor.FullName, cancellationToken).ConfigureAwait(false);
        return id;
    }

    private async Task<IReadOnlyList<SchemaReference>> ReferencesAsync(FileDescriptor file, Dictionary<string, SchemaReference> known, CancellationToken cancellationToken)
    {
        var references = new List<SchemaReference>();
        foreach (var import in file.Dependencies)
        {
            // Registries have these themselves.
            if (import.Name.StartsWith("google/protobuf/", StringComparison.Ordinal) || import.Name.StartsWith("confluent/", StringComparison.Ordinal)) continue;
            if (!known.TryGetValue(import.Name, out var reference))
            {
                var schema = SchemaOf(import, await ReferencesAsync(import, known, cancellationToken).ConfigureAwait(false));
                if (_options.AutoRegister) await _ids.Registry.RegisterAsync(import.Name, schema, _options.Normalize, cancellationToken).ConfigureAwait(false);
                var found = await _ids.Registry.FindAsync(import.Name, schema, _options.Normalize, cancellationToken).ConfigureAwait(false);
                reference = new SchemaReference(import.Name, import.Name, found.Version);
                known.Add(import.Name, reference);
            }

            references.Add(reference);
        }

        return references;
    }

    private static RegistrySchema SchemaOf(FileDescriptor file, IReadOnlyList<SchemaReference> references) =>
        new(SchemaType.Protobuf, file.SerializedData.ToBase64(), references);

    private static int[] PathOf(MessageDescriptor message)
    {
        var path = new Stack<int>();
        for (var current = message; current is not null; current = current.ContainingType) path.Push(current.Index);
        return [.. path];
    }
}
