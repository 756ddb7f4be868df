using System.Numerics;
using Streams.Core;

namespace Streams.SchemaRegistry.Avro.Mapping;

/// <summary>Between Avro's logical types and C#'s. Times finer than a tick of 100 ns are cut off, those that a unit cannot hold are errors.</summary>
internal static class LogicalValues
{
    private static readonly DateOnly _epochDay = new(1970, 1, 1);

    public static object? FromInt(AvroSchema schema, Type target, int value) => (schema.LogicalType, target) switch
    {
        ("date", var type) when type == typeof(DateOnly) => _epochDay.AddDays(value),
        ("time-millis", var type) when type == typeof(TimeOnly) => new TimeOnly(checked(value * TimeSpan.TicksPerMillisecond)),
        _ => null,
    };

    public static object? FromLong(AvroSchema schema, Type target, long value)
    {
        if (target == typeof(TimeOnly)) return schema.LogicalType == "time-micros" ? new TimeOnly(checked(value * TimeSpan.TicksPerMicrosecond)) : null;
        if (TicksSinceEpoch(schema.LogicalType, value) is not { } ticks) return null;
        if (target == typeof(DateTimeOffset)) return DateTimeOffset.UnixEpoch.AddTicks(ticks);
        return target == typeof(DateTime)
            ? schema.LogicalType!.StartsWith("local", StringComparison.Ordinal) ? DateTime.SpecifyKind(DateTime.UnixEpoch.AddTicks(ticks), DateTimeKind.Unspecified) : DateTime.UnixEpoch.AddTicks(ticks)
            : null;
    }

    public static decimal ToDecimal(ReadOnlySpan<byte> bytes, int scale)
    {
        if (bytes.Length > 12 || scale > 28) return (decimal)new BigInteger(bytes, isUnsigned: false, isBigEndian: true) / (decimal)BigInteger.Pow(10, scale);
        var unscaled = (decimal)new BigInteger(bytes, isUnsigned: false, isBigEndian: true);
        var bits = decimal.GetBits(unscaled);
        return new decimal(bits[0], bits[1], bits[2], unscaled < 0, (byte)scale);
    }

    public static byte[] FromDecimal(decimal value, AvroSchema schema)
    {
        var scaled = decimal.Round(value, Math.Min(schema.Scale, 28));
        if (scaled != value) throw new SerializationException($"The decimal {value} has more than the {schema.Scale} digits after the point that the schema has.");
        var bits = decimal.GetBits(value);
        var unscaled = (BigInteger)new decimal(bits[0], bits[1], bits[2], value < 0, 0);
        var scale = (bits[3] >> 16) & 0xff;
        unscaled = scale <= schema.Scale ? unscaled * BigInteger.Pow(10, schema.Scale - scale) : unscaled / BigInteger.Pow(10, scale - schema.Scale);
        var bytes = unscaled.ToByteArray(isUnsigned: false, isBigEndian: true);
        if (schema.Kind != AvroKind.Fixed) return bytes;
        if (bytes.Length > schema.Size) throw new SerializationException($"The decimal {value} does not fit into the {schema.Size} bytes of {schema.Label}.");
        var padded = new byte[schema.Size];
        padded.AsSpan().Fill(unscaled.Sign < 0 ? (byte)0xff : (byte)0);
        bytes.CopyTo(padded, padded.Length - bytes.Length);
        return padded;
    }

    public static int Days(DateOnly value) => value.DayNumber - _epochDay.DayNumber;

    public static long ToLong(AvroSchema schema, object value) => (schema.LogicalType, value) switch
    {
        ("time-micros", TimeOnly time) => time.Ticks / TimeSpan.TicksPerMicrosecond,
        (not null, DateTimeOffset time) => FromTicks(schema.LogicalType, (time - DateTimeOffset.UnixEpoch).Ticks),
        (not null, DateTime time) => FromTicks(schema.LogicalType, (time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time).Ticks - DateTime.UnixEpoch.Ticks),
        _ => throw new SerializationException($"A {value.GetType().Name} cannot be written as {schema.Label}{(schema.LogicalType is null ? " without logical type" : $" of logical type {schema.LogicalType}")}."),
    };

    /// <summary>RFC 4122 order, as text has it.</summary>
    public static Guid ToGuid(ReadOnlySpan<byte> bytes) => new(bytes, bigEndian: true);

    public static byte[] FromGuid(Guid value) => value.ToByteArray(bigEndian: true);

    private static long? TicksSinceEpoch(string? logicalType, long value) => logicalType switch
    {
        "timestamp-millis" or "local-timestamp-millis" => checked(value * TimeSpan.TicksPerMillisecond),
        "timestamp-micros" or "local-timestamp-micros" => checked(value * TimeSpan.TicksPerMicrosecond),
        "timestamp-nanos" or "local-timestamp-nanos" => Floor(value, TimeSpan.NanosecondsPerTick),
        _ => null,
    };

    private static long FromTicks(string logicalType, long ticks) => logicalType switch
    {
        "timestamp-millis" or "local-timestamp-millis" => Floor(ticks, TimeSpan.TicksPerMillisecond),
        "timestamp-micros" or "local-timestamp-micros" => Floor(ticks, TimeSpan.TicksPerMicrosecond),
        "timestamp-nanos" or "local-timestamp-nanos" => checked(ticks * TimeSpan.NanosecondsPerTick),
        _ => throw new SerializationException($"A point in time cannot be written with logical type {logicalType}."),
    };

    // Towards the past, also before 1970, so that order is kept.
    private static long Floor(long value, long unit) => value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}
