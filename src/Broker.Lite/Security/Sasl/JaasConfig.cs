using System.Text;

namespace Broker.Lite.Security.Sasl;

/// <summary>
/// The users of PLAIN in the form Kafka has for them, one entry of a JAAS file:
/// <c>org.apache.kafka…PlainLoginModule required user_alice="secret" user_bob="other";</c>
/// </summary>
internal static class JaasConfig
{
    private const string UserPrefix = "user_";

    /// <summary>Passwords by user.</summary>
    /// <exception cref="FormatException">It is not of that form; the message holds nothing of it, since passwords are in there.</exception>
    public static Dictionary<string, string> Users(string config)
    {
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Options(config))
        {
            if (name.StartsWith(UserPrefix, StringComparison.Ordinal) && name.Length > UserPrefix.Length)
                users[name[UserPrefix.Length..]] = value;
        }

        return users;
    }

    /// <summary>The options of the entry.</summary>
    /// <exception cref="FormatException">It is not of that form.</exception>
    public static Dictionary<string, string> Options(string config)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        var position = 0;
        if (config.AsSpan().Trim().Length == 0)
            return options;
        if (Word(config, ref position).Length == 0 || Word(config, ref position).ToLowerInvariant() is not ("required" or "requisite" or "sufficient" or "optional"))
            throw new FormatException("it does not begin with a login module and 'required'");
        while (true)
        {
            var name = Word(config, ref position);
            if (name.Length == 0)
                break;
            if (position >= config.Length || config[position] != '=')
                throw new FormatException("an option has no value");
            position++;
            options[name] = Value(config, ref position);
        }

        if (position >= config.Length || config[position] != ';' || config.AsSpan(position + 1).Trim().Length > 0)
            throw new FormatException("it does not end with a semicolon");
        return options;
    }

    private static string Word(string config, ref int position)
    {
        while (position < config.Length && char.IsWhiteSpace(config[position]))
            position++;
        var start = position;
        while (position < config.Length && !char.IsWhiteSpace(config[position]) && config[position] is not ('=' or ';' or '"'))
            position++;
        return config[start..position];
    }

    private static string Value(string config, ref int position)
    {
        if (position >= config.Length || config[position] != '"')
            return Word(config, ref position);
        var value = new StringBuilder();
        for (position++; position < config.Length; position++)
        {
            if (config[position] == '"')
            {
                position++;
                return value.ToString();
            }

            if (config[position] == '\\' && position + 1 < config.Length)
                position++;
            value.Append(config[position]);
        }

        throw new FormatException("a quoted value does not end");
    }
}
