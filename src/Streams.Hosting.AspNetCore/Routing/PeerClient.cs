using System.Globalization;
using System.Net;
using Streams.Core;

namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>Asks other instances.</summary>
/// <param name="client">Gives the client; a factory's are made anew for each request, so that their handlers can be exchanged.</param>
/// <param name="scheme">http or https.</param>
internal sealed class PeerClient(Func<HttpClient> client, string scheme)
{
    /// <summary>Longest answer of another instance that is taken: 64 MiB.</summary>
    private const int MaxContentBytes = 64 << 20;

    private const int FirstChunkBytes = 4096;

    private static readonly HttpClient _shared = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        MaxConnectionsPerServer = 256,
    })
    {
        // The router has a time-out of its own.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>A client for all stores of the process that goes straight to the instance, without proxies, redirects and cookies, and notices changes of addresses.</summary>
    public static HttpClient Shared() => _shared;

    /// <summary>Asks one instance; a status other than 200 and 404 says that it has no answer.</summary>
    /// <exception cref="HttpRequestException">It cannot be reached, or what it says is not an answer.</exception>
    public async Task<PartitionAnswer> AskAsync(HostInfo host, StoreRequest request, int partition, Hop hop, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, $"{scheme}://{host}{request.Path(partition)}");
        message.Headers.TryAddWithoutValidation(StoreHeaders.Hop, hop == Hop.Any ? "any" : "active");
        if (request.BoundText.Length > 0) message.Headers.TryAddWithoutValidation(StoreHeaders.Position, request.BoundText);
        if (request.Authorization.Length > 0) message.Headers.TryAddWithoutValidation("Authorization", request.Authorization);
        using var response = await client().SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.NotFound))
            return new PartitionAnswer { Status = status, Partition = partition, Reason = $"status {status.ToString(CultureInfo.InvariantCulture)}." };

        // A 404 without our header is not about the key: that program has no such route, for it is older or newer than this one.
        if (Header(response, StoreHeaders.Partition) != partition.ToString(CultureInfo.InvariantCulture))
            return new PartitionAnswer { Status = (int)HttpStatusCode.MisdirectedRequest, Partition = partition, Reason = "it does not serve this store." };
        return new PartitionAnswer
        {
            Status = status,
            Content = status == (int)HttpStatusCode.OK ? await ReadAsync(response.Content, cancellationToken).ConfigureAwait(false) : [],
            Partition = partition,
            IsStale = Header(response, StoreHeaders.Stale) == "true",
            Lag = long.TryParse(Header(response, StoreHeaders.Lag), NumberStyles.None, CultureInfo.InvariantCulture, out var lag) ? lag : null,
            Position = Header(response, StoreHeaders.Position),
        };
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    // Read by hand and not with the client's own limit, because the client may be one of the host's, with whatever limit it has.
    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        using var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var collected = new MemoryStream();
        var chunk = new byte[FirstChunkBytes];
        for (;;)
        {
            int read;
            try
            {
                read = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException failure)
            {
                throw new HttpRequestException("the connection broke in the middle of the answer.", failure);
            }

            if (read == 0) return collected.ToArray();
            if (collected.Length + read > MaxContentBytes) throw new HttpRequestException($"the answer is longer than {MaxContentBytes} bytes.");
            collected.Write(chunk, 0, read);
        }
    }
}
