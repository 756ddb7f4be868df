using System.Text;
using Confluent.Kafka;
using Kafka.Protocol;
using Streams.Core;
using Streams.Kafka.Wire;
using ErrorCode = Kafka.Protocol.ErrorCode;

namespace Streams.Kafka.OAuth;

/// <summary>The current token of a cluster, for this library's connections and for Confluent.Kafka's clients alike; fetched anew when four fifths of its time are over.</summary>
internal sealed class BearerTokens(Func<CancellationToken, Task<OAuthBearerToken>> fetch, TimeProvider time) : IDisposable
{
    // How long one of Confluent.Kafka's clients is held up: its refresh is a call from the thread that polls it.
    private static readonly TimeSpan _clientPatience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private OAuthBearerToken? _token;
    private DateTimeOffset _renewAt;

    /// <summary>A token that has a while to go.</summary>
    /// <exception cref="ConnectionLostException">There is none to be had now; later there may be.</exception>
    /// <exception cref="ClusterException">What was fetched is no token, or has expired; or whoever gives them out refuses to.</exception>
    public async Task<OAuthBearerToken> GetAsync(CancellationToken cancellationToken)
    {
        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = time.GetUtcNow();
            if (_token is { } current && now < _renewAt) return current;
            var token = await FetchAsync(cancellationToken).ConfigureAwait(false);
            now = time.GetUtcNow();
            Check(token, now);
            _renewAt = now + ((token.ExpiresAt - now) * 0.8);
            return _token = token;
        }
        finally
        {
            _fetching.Release();
        }
    }

    /// <summary>Confluent.Kafka's refresh handler: librdkafka asks for a first token before it connects, again before one ends, and ten seconds after a failure.</summary>
    public void Refresh(IClient client, string configuration)
    {
        try
        {
            using var patience = new CancellationTokenSource(_clientPatience, time);
            var token = GetAsync(patience.Token).GetAwaiter().GetResult();
            client.OAuthBearerSetToken(token.Value, token.ExpiresAt.ToUnixTimeMilliseconds(), token.PrincipalName, token.Extensions.ToDictionary());
        }
        catch (Exception failure) when (failure is ConnectionLostException or ClusterException or OperationCanceledException or KafkaException or ObjectDisposedException)
        {
            // Told to librdkafka, which tells it to the error handler and asks again: also of a cluster that was disposed before this client.
            client.OAuthBearerSetTokenFailure(failure.Message);
        }
    }

    /// <summary>The client's only message of the exchange (RFC 7628, section 3.1).</summary>
    public static byte[] ClientMessage(OAuthBearerToken token)
    {
        var text = new StringBuilder("n,,\u0001auth=Bearer ").Append(token.Value).Append('\u0001');
        foreach (var (name, value) in token.Extensions) text.Append(name).Append('=').Append(value).Append('\u0001');
        return Encoding.ASCII.GetBytes(text.Append('\u0001').ToString());
    }

    public void Dispose() => _fetching.Dispose();

    internal static ClusterException Refused(string why, Exception? cause = null)
    {
        const ErrorCode Code = ErrorCode.SaslAuthenticationFailed;
        return new ClusterException((short)Code, Code.ProtocolName(), why, cause);
    }

    private async Task<OAuthBearerToken> FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await fetch(cancellationToken).ConfigureAwait(false) ?? throw Refused("There is no token: the provider gave null.");
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or ClusterException or ConnectionLostException or OutOfMemoryException))
        {
            // A provider is the user's and asks somebody over a network: what went wrong may go right in a moment, as with a broker that is away.
            throw new ConnectionLostException($"There is no token: {failure.Message}", failure);
        }
    }

    // Whatever has a separator in it would be read as something else than was meant.
    private static void Check(OAuthBearerToken token, DateTimeOffset now)
    {
        if (token.ExpiresAt <= now) throw Refused($"The {token} has expired.");
        var content = token.Value.AsSpan().TrimEnd('=');
        if (content.IsEmpty || content.ContainsAnyExcept(_tokenCharacters))
            throw Refused($"The {token} has characters that a bearer token cannot have, or is empty: letters, digits and -._~+/ are allowed, and = at its end.");
        foreach (var (name, value) in token.Extensions)
        {
            if (name.Length == 0 || name == "auth" || !name.All(char.IsAsciiLetter)) throw Refused($"The {token} has an extension '{name}': names are letters, and not 'auth'.");
            if (value.Length == 0 || !value.All(character => character is >= ' ' and <= '~' or '\t' or '\r' or '\n')) throw Refused($"The {token} has a value of extension '{name}' that is not printable ASCII.");
        }
    }

    private static readonly System.Buffers.SearchValues<char> _tokenCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
}
