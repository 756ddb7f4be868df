using System.Security.Cryptography;

namespace Broker.Lite.Security.Sasl;

/// <summary>The SASL side of a listener: its mechanisms, and what they check clients against.</summary>
internal sealed class SaslServer : IDisposable
{
    private readonly Dictionary<string, Func<ISaslExchange>> _mechanisms = new(StringComparer.Ordinal);
    private readonly JwtKeys? _keys;

    private SaslServer(string listener, ListenerSettings settings, SecurityStore store, TimeProvider time)
    {
        Time = time;
        MaxReauth = TimeSpan.FromMilliseconds(Math.Min(settings.Number(SecurityConfigKeys.MaxReauthMs), int.MaxValue));
        var decoyKey = RandomNumberGenerator.GetBytes(32);
        foreach (var name in settings.List(SecurityConfigKeys.SaslEnabledMechanisms))
        {
            switch (name)
            {
                case "PLAIN":
                    var users = Users(listener, settings.Text(SecurityConfigKeys.SaslJaasConfig, name));
                    _mechanisms[name] = () => new PlainExchange(users);
                    break;
                case "OAUTHBEARER":
                    _keys = JwtKeys.Load(KeysPath(listener, settings.Text(SecurityConfigKeys.OauthJwksUrl, name)));
                    var validator = new JwtValidator(
                        _keys,
                        settings.Text(SecurityConfigKeys.OauthIssuer, name),
                        Metadata.ConfigKey.Elements(settings.Text(SecurityConfigKeys.OauthAudience, name)),
                        settings.Text(SecurityConfigKeys.OauthSubClaim, name),
                        TimeSpan.FromSeconds(settings.Number(SecurityConfigKeys.OauthClockSkewSeconds)),
                        time);
                    _mechanisms[name] = () => new OauthBearerExchange(validator);
                    break;
                default:
                    _ = ScramMechanism.TryFind(name, out var mechanism);
                    _mechanisms[name] = () => new ScramExchange(mechanism!, user => store.View.FindScram(user, mechanism!), decoyKey);
                    break;
            }
        }
    }

    public TimeProvider Time { get; }

    /// <summary>The longest a client may stay without proving again who it is; zero: as long as its credentials last.</summary>
    public TimeSpan MaxReauth { get; }

    /// <summary>The names of the mechanisms offered.</summary>
    public IEnumerable<string> Mechanisms => _mechanisms.Keys;

    /// <summary>Reads what a listener's settings name.</summary>
    /// <exception cref="InvalidDataException">A file or setting is missing or not what it should be; the message names it.</exception>
    public static SaslServer Load(string listener, ListenerSettings settings, SecurityStore store, TimeProvider time)
    {
        try
        {
            return new SaslServer(listener, settings, store, time);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"SASL of listener {listener}: {e.Message}", e);
        }
    }

    /// <summary>Begins an exchange; null if there is no such mechanism.</summary>
    public ISaslExchange? Begin(string mechanism) => _mechanisms.TryGetValue(mechanism, out var make) ? make() : null;

    public void Dispose() => _keys?.Dispose();

    private static Dictionary<string, string> Users(string listener, string config)
    {
        try
        {
            return JaasConfig.Users(config);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"SASL of listener {listener}: {SecurityConfigKeys.SaslJaasConfig}: {e.Message}", e);
        }
    }

    private static string KeysPath(string listener, string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.IsFile
            ? uri.LocalPath
            : throw new InvalidDataException($"SASL of listener {listener}: {SecurityConfigKeys.OauthJwksUrl} must be a file URL such as file:///etc/keys.json");
}
