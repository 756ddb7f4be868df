using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Streams.Kafka.Wire;

namespace Streams.Kafka.OAuth;

/// <summary>Tokens of an OpenID Connect provider by the client credentials grant (RFC 6749, section 4.4; KIP-768).</summary>
/// <remarks>A new connection for each: there is one an hour or so.</remarks>
internal sealed class OidcTokens(Uri endpoint, string clientId, string clientSecret, string? scope, IReadOnlyDictionary<string, string> extensions, TimeProvider time)
{
    private const int MaxAnswerBytes = 1 << 20;
    private const int MaxReasonLength = 300;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    public async Task<OAuthBearerToken> FetchAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = _timeout, MaxResponseContentBufferSize = MaxAnswerBytes };
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        var credentials = $"{Uri.EscapeDataString(clientId)}:{Uri.EscapeDataString(clientSecret)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials" };
        if (!string.IsNullOrEmpty(scope)) form["scope"] = scope;
        request.Content = new FormUrlEncodedContent(form);
        var answer = await SendAsync(http, request, cancellationToken).ConfigureAwait(false);
        return Read(answer);
    }

    private async Task<string> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return text;
            var why = $"{endpoint} gives no token: {(int)response.StatusCode} {response.ReasonPhrase}: {(text.Length > MaxReasonLength ? text[..MaxReasonLength] : text)}";

            // Of what is the asker's fault, only "too often" and "too slow" pass by themselves.
            throw (int)response.StatusCode is >= 400 and < 500 && response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout)
                ? BearerTokens.Refused(why)
                : new ConnectionLostException(why);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ConnectionLostException($"{endpoint} gives no token: {failure.Message}", failure);
        }
    }

    private OAuthBearerToken Read(string answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            var root = document.RootElement;
            var value = root.GetProperty("access_token").GetString() ?? throw new FormatException("access_token is null");
            var (expiry, subject) = Claims(value);
            expiry ??= root.TryGetProperty("expires_in", out var seconds) ? time.GetUtcNow().AddSeconds(Math.Clamp(seconds.GetDouble(), 0, int.MaxValue)) : null;
            return new OAuthBearerToken(value, expiry ?? throw new FormatException("neither expires_in nor the token's exp says when it ends"), subject ?? clientId) { Extensions = extensions };
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or ArgumentOutOfRangeException)
        {
            throw BearerTokens.Refused($"{endpoint} gives something that is not a token: {failure.Message}", failure);
        }
    }

    // What the token says of itself goes before what is said about it. One that is no JWT says nothing: it is the broker's to read.
    private static (DateTimeOffset? Expiry, string? Subject) Claims(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || !Base64Url.IsValid(parts[1])) return default;
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        var root = claims.RootElement;
        if (root.ValueKind != JsonValueKind.Object) return default;
        return (
            root.TryGetProperty("exp", out var expiry) ? DateTimeOffset.FromUnixTimeSeconds((long)expiry.GetDouble()) : null,
            root.TryGetProperty("sub", out var subject) && subject.ValueKind == JsonValueKind.String ? subject.GetString() : null);
    }
}
