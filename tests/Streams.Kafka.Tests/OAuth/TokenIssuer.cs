using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Streams.Kafka.Tests.OAuth;

/// <summary>Signs tokens, and gives them out over HTTP as an OpenID Connect provider does.</summary>
internal sealed class TokenIssuer : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly string _keyFile = Path.GetTempFileName();
    private HttpListener? _http;

    public TokenIssuer() => File.WriteAllText(_keyFile, _key.ExportSubjectPublicKeyInfoPem());

    /// <summary>Where a broker finds the key.</summary>
    public string KeyUrl => new Uri(_keyFile).ToString();

    /// <summary>What was asked of the endpoint: the credentials, then the form.</summary>
    public List<string> Requests { get; } = [];

    public string Token(string subject, TimeSpan life)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = Base64Url.EncodeToString("""{"alg":"RS256","typ":"JWT"}"""u8);
        var claims = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"sub":"{{subject}}","iat":{{now}},"exp":{{now + (long)life.TotalSeconds}}}"""));
        return $"{header}.{claims}.{Base64Url.EncodeToString(_key.SignData(Encoding.UTF8.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>Serves until disposed.</summary>
    /// <param name="answer">Status and body for the n-th request, from 0.</param>
    public Uri Serve(Func<int, (int Status, string Body)> answer)
    {
        // HttpListener cannot be told to take any free port: one that was free a moment ago mostly still is.
        for (var attempt = 0; ; attempt++)
        {
            using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/token/";
            probe.Stop();
            _http = new HttpListener { Prefixes = { address } };
            try
            {
                _http.Start();
                _ = ServeAsync(_http, answer);
                return new Uri(address);
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                _http.Close();
            }
        }
    }

    public void Dispose()
    {
        _http?.Close();
        _key.Dispose();
        File.Delete(_keyFile);
    }

    private async Task ServeAsync(HttpListener http, Func<int, (int Status, string Body)> answer)
    {
        try
        {
            while (true)
            {
                var context = await http.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var request = $"{context.Request.Headers["Authorization"]} {await reader.ReadToEndAsync()}";
                int number;
                lock (Requests)
                {
                    number = Requests.Count;
                    Requests.Add(request);
                }

                var (status, body) = answer(number);
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/json";
                context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: false);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Closed: the test is over.
        }
    }
}
