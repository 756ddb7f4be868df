namespace Streams.Kafka.Tests.Support;

/// <summary>The two libraries of clients that a cluster can use: values of <c>client.library</c>.</summary>
internal static class Library
{
    public const string Confluent = "confluent";
    public const string Managed = "managed";

    public static Dictionary<string, string> Settings(string library) => new() { ["client.library"] = library };
}
