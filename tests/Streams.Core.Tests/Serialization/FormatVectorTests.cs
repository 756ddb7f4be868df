using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Streams.Core.Tests.Serialization;

public class FormatVectorTests
{
    [Fact]
    public void Murmur2_gives_the_hash_and_partition_of_Javas_client()
    {
        var vectors = FormatVectors.Root.GetProperty("murmur2").EnumerateArray().ToList();
        Assert.True(vectors.Count > 100);
        foreach (var vector in vectors)
        {
            var key = vector.GetProperty("key").GetBytesFromBase64();
            Assert.Equal(vector.GetProperty("hash").GetInt32(), Murmur2.Hash(key));
            foreach (var partition in vector.GetProperty("partition").EnumerateObject())
                Assert.Equal(partition.Value.GetInt32(), Murmur2.Partition(key, int.Parse(partition.Name, CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void Int64_is_as_Java_writes_it() => Check("long", Serdes.Int64, value => long.Parse(value.GetString()!, CultureInfo.InvariantCulture));

    [Fact]
    public void Int32_is_as_Java_writes_it() => Check("int", Serdes.Int32, value => value.GetInt32());

    [Fact]
    public void Int16_is_as_Java_writes_it() => Check("short", Serdes.Int16, value => value.GetInt16());

    [Fact]
    public void Double_is_as_Java_writes_it() => Check("double", Serdes.Double, value => ParseDouble(value.GetString()!));

    [Fact]
    public void Single_is_as_Java_writes_it() => Check("float", Serdes.Single, value => (float)ParseDouble(value.GetString()!));

    [Fact]
    public void Guid_is_as_Java_writes_it() => Check("uuid", Serdes.Guid, value => value.GetGuid());

    [Fact]
    public void Boolean_is_as_Java_writes_it() => Check("boolean", Serdes.Boolean, value => value.GetBoolean());

    [Fact]
    public void String_is_as_Java_writes_it() => Check("string", Serdes.String, value => value.GetString()!);

    [Fact]
    public void List_of_texts_is_as_Java_writes_it() => Check("listOfString", Serdes.List(Serdes.String), value => [.. value.EnumerateArray().Select(each => each.GetString()!)]);

    [Fact]
    public void List_of_numbers_is_as_Java_writes_it() => Check(
        "listOfLong", Serdes.List(Serdes.Nullable(Serdes.Int64)), value => [.. value.EnumerateArray().Select(each => each.ValueKind == JsonValueKind.Null ? (long?)null : each.GetInt64())]);

    [Fact]
    public void Time_windowed_key_is_as_Java_writes_it()
    {
        foreach (var vector in FormatVectors.Root.GetProperty("timeWindowedKey").EnumerateArray())
        {
            var key = WindowedKeyOf(vector);
            CheckOne(WindowedSerdes.TimeWindowed(Serdes.String, key.Window.EndMs - key.Window.StartMs), key, FormatVectors.Bytes(vector));
        }
    }

    [Fact]
    public void Session_windowed_key_is_as_Java_writes_it()
    {
        foreach (var vector in FormatVectors.Root.GetProperty("sessionWindowedKey").EnumerateArray())
            CheckOne(WindowedSerdes.SessionWindowed(Serdes.String), WindowedKeyOf(vector), FormatVectors.Bytes(vector));
    }

    [Fact]
    public void Every_kind_of_vector_is_tested() => Assert.Equal(
        ["boolean", "double", "float", "int", "listOfLong", "listOfString", "long", "short", "string", "uuid"],
        FormatVectors.Root.GetProperty("serdes").EnumerateObject().Select(serde => serde.Name).Order(StringComparer.Ordinal));

    private static Windowed<string> WindowedKeyOf(JsonElement vector) =>
        new(vector.GetProperty("key").GetString()!, new Window(vector.GetProperty("start").GetInt64(), vector.GetProperty("end").GetInt64()));

    private static void Check<T>(string name, ISerde<T> serde, Func<JsonElement, T> read)
    {
        var vectors = FormatVectors.Serde(name);
        Assert.NotEmpty(vectors);
        foreach (var vector in vectors) CheckOne(serde, read(vector.GetProperty("value")), FormatVectors.Bytes(vector));
    }

    private static void CheckOne<T>(ISerde<T> serde, T value, byte[] bytes)
    {
        var buffer = new SerdeBuffer();
        serde.Serialize(value, buffer);
        Assert.Equal(bytes, buffer.WrittenSpan.ToArray());
        Assert.Equal(value, serde.Deserialize(bytes));
    }

    private static double ParseDouble(string text) => text switch
    {
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };
}
