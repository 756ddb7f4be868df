using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Streams.SchemaRegistry.Http;

/// <summary>Sends one request to whichever address answers, again when that may help, and reads the answer within its bound.</summary>
internal sealed class RegistryHttp : IDisposable
{
    private const string MediaType = "application/vnd.schemaregistry.v1+json";
    private static readonly TimeSpan _maxBackoff = TimeSpan.FromSeconds(5);

    private readonly SchemaRegistryConfig _config;
    private readonly HttpClient _client;
    private readonly Uri[] _roots;
    private int _current;

    public RegistryHttp(SchemaRegistryConfig config)
    {
        _config = config;

        // Without a path end in '/', a relative address would replace the last part of the root's path.
        _roots = [.. config.Urls.Select(url => url.AbsoluteUri.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/"))];
        _client = config.Handler is null
            ? new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
            : new HttpClient(config.Handler, disposeHandler: false);
        _client.Timeout = Timeout.InfiniteTimeSpan;
    }

    public async Task<T> SendAsync<T>(HttpMethod method, string path, string what, byte[]? body, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        var pause = _config.RetryBackoff;
        for (var attempt = 0; ; attempt++)
        {
            var index = (uint)Volatile.Read(ref _current) % (uint)_roots.Length;
            var url = new Uri(_roots[index], path);
            try
            {
                return await SendOnceAsync(method, url, what, body, read, cancellationToken).ConfigureAwait(false);
            }
            catch (SchemaRegistryException failure) when (failure.IsTransient && attempt < _config.MaxRetries)
            {
                // Whoever fails first moves everybody on, once.
                Interlocked.CompareExchange(ref _current, (int)((index + 1) % _roots.Length), (int)index);
                await Task.Delay(pause, _config.TimeProvider, cancellationToken).ConfigureAwait(false);
                pause = pause * 2 < _maxBackoff ? pause * 2 : _maxBackoff;
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<T> SendOnceAsync<T>(HttpMethod method, Uri url, string what, byte[]? body, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_config.RequestTimeout, _config.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(method, url);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaType));
            request.Headers.Authorization = await AuthorizationAsync(either.Token).ConfigureAwait(false);
            if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(MediaType) } };

            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            var answer = await ReadBoundedAsync(response, what, url, either.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw Refused(response.StatusCode, answer, what, url);
            try
            {
                using var document = JsonDocument.Parse(answer);
                return read(document.RootElement);
            }
            catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new SchemaRegistryException($"{url} answered to the request for {what} with something that is not the registry's: {failure.Message}", (int)response.StatusCode, 0, isTransient: false, failure);
            }
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested && limit.IsCancellationRequested)
        {
            throw new SchemaRegistryException($"The schema registry at {url} did not answer to the request for {what} within {_config.RequestTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.", null, 0, isTransient: true, failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new SchemaRegistryException($"The schema registry at {url} could not be asked for {what}: {failure.Message}", null, 0, isTransient: true, failure);
        }
    }

    private async Task<byte[]> ReadBoundedAsync(HttpResponseMessage response, string what, Uri url, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > _config.MaxResponseBytes) throw TooLarge();
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var bytes = new MemoryStream();
        var buffer = new byte[8192];
        while (true)
        {
            var count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0) return bytes.ToArray();
            if (bytes.Length + count > _config.MaxResponseBytes) throw TooLarge();
            bytes.Write(buffer, 0, count);
        }

        SchemaRegistryException TooLarge() => new(
            $"The answer of {url} to the request for {what} is larger than {nameof(SchemaRegistryConfig.MaxResponseBytes)} ({_config.MaxResponseBytes} bytes).", (int)response.StatusCode, 0, isTransient: false);
    }

    private async ValueTask<AuthenticationHeaderValue?> AuthorizationAsync(CancellationToken cancellationToken)
    {
        if (_config.BasicAuth is { } basic) return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.User}:{basic.Password}")));
        return _config.BearerToken is { } bearer ? new AuthenticationHeaderValue("Bearer", await bearer(cancellationToken).ConfigureAwait(false)) : null;
    }

    private static SchemaRegistryException Refused(HttpStatusCode status, byte[] answer, string what, Uri url)
    {
        var (code, message) = ReadError(answer);
        var number = (int)status;
        return new SchemaRegistryException(
            $"The schema registry at {url} refused the request for {what}: status {number}{(code == 0 ? "" : $", error {code}")}{(message.Length == 0 ? "" : $": {message}")}",
            number,
            code,
            isTransient: number is 408 or 429 or >= 500);
    }

    // A proxy's answer is not the registry's JSON; then the status alone has to do.
    private static (int Code, string Message) ReadError(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return (0, "");
            var code = document.RootElement.TryGetProperty("error_code", out var number) && number.TryGetInt32(out var value) ? value : 0;
            var message = document.RootElement.TryGetProperty("message", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";
            return (code, message);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return (0, "");
        }
    }
}
