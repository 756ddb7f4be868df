using System.Globalization;
using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>A <see cref="Position"/> as the text of a header: <c>topic:partition=offset,…</c>. Names of topics have none of these signs in them.</summary>
internal static class PositionText
{
    private const int MaxEntries = 256;

    public static string Write(Position position) =>
        string.Join(',', position.Offsets.OrderBy(entry => entry.Key.Topic, StringComparer.Ordinal).ThenBy(entry => entry.Key.Partition)
            .Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key.Topic}:{entry.Key.Partition}={entry.Value}")));

    public static Position Read(string? text)
    {
        if (string.IsNullOrEmpty(text)) return Position.Empty;
        var parts = text.Split(',', MaxEntries + 1, StringSplitOptions.TrimEntries);
        if (parts.Length > MaxEntries) throw new BadRequestException($"The header {StoreHeaders.Position} has more than {MaxEntries} entries.");
        var offsets = new Dictionary<TopicPartition, long>();
        foreach (var part in parts)
        {
            var equals = part.LastIndexOf('=');
            var colon = equals < 0 ? -1 : part.LastIndexOf(':', equals);
            if (colon <= 0
                || !int.TryParse(part.AsSpan(colon + 1, equals - colon - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                || !long.TryParse(part.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
                throw new BadRequestException($"The header {StoreHeaders.Position} is '{part}' where topic:partition=offset is expected.");
            offsets[new TopicPartition(part[..colon], partition)] = offset;
        }

        return new Position(offsets);
    }
}
