using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Streams.Hosting.AspNetCore.Reading;
using Streams.Hosting.AspNetCore.Routing;

namespace Streams.Hosting.AspNetCore.Endpoints;

/// <summary>Lists: entries of one partition after the other, until there are enough.</summary>
internal static class Entries
{
    private const string Array = "entries";
    private const string Next = "next";
    private const string Truncated = "truncated";

    /// <summary>Asks one partition for at most so many entries. The cursor is where to go on in it, <c>null</c> for its beginning.</summary>
    public delegate Task<PartitionAnswer> Ask(int partition, string? cursor, int limit);

    /// <summary>One partition's part of a list as JSON.</summary>
    /// <param name="items">What was read: one more than the limit says that there are more.</param>
    /// <param name="limit">Entries to write at most.</param>
    /// <param name="next">Cursor behind an entry; <c>null</c> where the store cannot go on from one.</param>
    /// <param name="write">Writes an entry's members.</param>
    public static byte[] Write<T>(IReadOnlyList<T> items, int limit, Func<T, string>? next, Action<Utf8JsonWriter, T> write) => JsonText.Write(writer =>
    {
        writer.WriteStartArray(Array);
        var count = Math.Min(items.Count, limit);
        for (var index = 0; index < count; index++)
        {
            writer.WriteStartObject();
            write(writer, items[index]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (items.Count <= limit) return;
        if (next is null) writer.WriteBoolean(Truncated, true);
        else writer.WriteString(Next, next(items[limit - 1]));
    });

    /// <summary>Answers with the entries of all partitions that are asked for.</summary>
    /// <param name="endpoint">The store.</param>
    /// <param name="context">The request.</param>
    /// <param name="hasCursor">Whether the kind of store can go on where a page ended.</param>
    /// <param name="ask">Asks a partition.</param>
    public static async Task AnswerAsync<K>(StoreEndpoint<K> endpoint, HttpContext context, bool hasCursor, Ask ask)
        where K : notnull
    {
        if (await endpoint.PartitionsAsync(context).ConfigureAwait(false) is not { } partitions) return;
        var left = endpoint.Limit(context.Request);
        var (first, end) = (partitions.Start.Value, partitions.End.Value);
        string? cursor = null;
        if (hasCursor && StoreEndpoint<K>.Text(context.Request, "cursor") is { } text)
        {
            var dot = text.IndexOf('.', StringComparison.Ordinal);
            var at = StoreEndpoint<K>.Number(dot < 0 ? text : text[..dot], "cursor", end, minimum: first, exclusive: true);
            cursor = dot < 0 || dot == text.Length - 1 ? null : text;
            first = at;
        }

        // One partition's answer needs no putting together; another instance gets it like this.
        if (end - first == 1)
        {
            await StoreEndpoint<K>.WriteAsync(context, await ask(first, cursor, left).ConfigureAwait(false)).ConfigureAwait(false);
            return;
        }

        var pages = new List<JsonDocument>();
        try
        {
            var (isStale, lag, isTruncated, next) = (false, 0L, false, (string?)null);
            for (var partition = first; partition < end && next is null && !isTruncated; partition++)
            {
                if (left <= 0)
                {
                    // Whether the rest has anything is not known without asking it; the next page says it.
                    if (hasCursor) next = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{partition}.");
                    else isTruncated = true;
                    break;
                }

                var answer = await ask(partition, cursor, left).ConfigureAwait(false);
                if (!answer.IsAnswer)
                {
                    await StoreEndpoint<K>.WriteAsync(context, answer).ConfigureAwait(false);
                    return;
                }

                cursor = null;
                isStale |= answer.IsStale;
                lag = Math.Max(lag, answer.Lag ?? 0);
                var page = JsonDocument.Parse(answer.Content);
                pages.Add(page);
                left -= page.RootElement.GetProperty(Array).GetArrayLength();
                if (page.RootElement.TryGetProperty(Next, out var follows)) next = follows.GetString();
                isTruncated = page.RootElement.TryGetProperty(Truncated, out _);
            }

            var content = JsonText.Write(writer =>
            {
                writer.WriteStartArray(Array);
                foreach (var page in pages)
                {
                    foreach (var entry in page.RootElement.GetProperty(Array).EnumerateArray()) entry.WriteTo(writer);
                }

                writer.WriteEndArray();
                if (isTruncated) writer.WriteBoolean(Truncated, true);
                if (next is not null) writer.WriteString(Next, next);
            });
            await StoreEndpoint<K>.WriteAllAsync(context, content, isStale, lag).ConfigureAwait(false);
        }
        finally
        {
            foreach (var page in pages) page.Dispose();
        }
    }

    /// <summary>A cursor: the partition, and the last key's bytes.</summary>
    public static string CursorOf(int partition, ReadOnlySpan<byte> key) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{partition}.{System.Buffers.Text.Base64Url.EncodeToString(key)}");

    /// <summary>The key's bytes of a cursor.</summary>
    public static byte[] KeyOf(string cursor)
    {
        try
        {
            return System.Buffers.Text.Base64Url.DecodeFromChars(cursor.AsSpan(cursor.IndexOf('.', StringComparison.Ordinal) + 1));
        }
        catch (FormatException)
        {
            throw new BadRequestException("The cursor is not one that this store gave out.");
        }
    }
}
