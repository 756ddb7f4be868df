using Streams.Core;

namespace Streams.Client;

/// <summary>Finds the serde of a client that is given none.</summary>
internal static class ClientSerdes
{
    public static ISerde<T> BuiltIn<T>(string client, string part) => Serdes.TryGetBuiltIn<T>(out var serde)
        ? serde
        : throw new ConfigException($"{client} has no serde for its {part} type {typeof(T).Name}, and none is built in; pass one.");
}
