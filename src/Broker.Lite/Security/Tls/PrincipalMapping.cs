using System.Text;
using System.Text.RegularExpressions;

namespace Broker.Lite.Security.Tls;

/// <summary>
/// Rules that make user names of certificate subjects: <c>RULE:pattern/replacement/[LU]</c> or <c>DEFAULT</c>, comma-separated; the first
/// whose pattern matches the whole subject decides (Kafka: <c>ssl.principal.mapping.rules</c>, KIP-371).
/// </summary>
internal sealed class PrincipalMapping
{
    private const string DefaultRule = "DEFAULT";
    private const string RulePrefix = "RULE:";

    // Patterns are the operator's, subjects the clients': one that backtracks for ever must not hold a connection.
    private static readonly TimeSpan _matchPatience = TimeSpan.FromSeconds(1);

    private readonly List<(Regex? Pattern, string Replacement, char Case)> _rules = [];

    /// <summary>Reads rules.</summary>
    /// <exception cref="FormatException">They are no rules.</exception>
    public static PrincipalMapping Parse(string rules)
    {
        var mapping = new PrincipalMapping();
        for (var position = SkipSeparators(rules, 0); position < rules.Length; position = SkipSeparators(rules, position))
        {
            if (rules.AsSpan(position).StartsWith(DefaultRule, StringComparison.Ordinal))
            {
                mapping._rules.Add((null, "", ' '));
                position += DefaultRule.Length;
            }
            else if (rules.AsSpan(position).StartsWith(RulePrefix, StringComparison.Ordinal))
            {
                position += RulePrefix.Length;
                var pattern = ReadPart(rules, ref position);
                var replacement = ReadPart(rules, ref position);
                var letters = position < rules.Length && rules[position] is 'L' or 'U' ? rules[position++] : ' ';
                mapping._rules.Add((Compile(pattern), replacement, letters));
            }
            else
            {
                throw new FormatException($"'{rules[position..]}' does not begin with {RulePrefix} or {DefaultRule}");
            }

            if (position < rules.Length && rules[position] != ',' && !char.IsWhiteSpace(rules[position]))
                throw new FormatException($"'{rules[position..]}' should be the end of a rule");
        }

        if (mapping._rules.Count == 0)
            mapping._rules.Add((null, "", ' '));
        return mapping;
    }

    /// <summary>The user name for a subject; null if no rule matches, and then the client is nobody.</summary>
    public string? Apply(string subject)
    {
        foreach (var (pattern, replacement, letters) in _rules)
        {
            if (pattern is null)
                return subject;
            var match = pattern.Match(subject);
            if (!match.Success)
                continue;
            var name = match.Result(replacement);
            return letters switch
            {
                'L' => name.ToLowerInvariant(),
                'U' => name.ToUpperInvariant(),
                _ => name,
            };
        }

        return null;
    }

    private static Regex Compile(string pattern)
    {
        try
        {
            return new Regex($"^(?:{pattern})$", RegexOptions.CultureInvariant, _matchPatience);
        }
        catch (ArgumentException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>Reads up to the next slash without a backslash before it, and over it.</summary>
    private static string ReadPart(string rules, ref int position)
    {
        var part = new StringBuilder();
        for (; position < rules.Length; position++)
        {
            if (rules[position] == '/')
            {
                position++;
                return part.ToString();
            }

            if (rules[position] == '\\' && position + 1 < rules.Length)
            {
                if (rules[position + 1] != '/')
                    part.Append('\\');
                position++;
            }

            part.Append(rules[position]);
        }

        throw new FormatException($"a rule in '{rules}' has fewer than two slashes after its pattern");
    }

    private static int SkipSeparators(string rules, int position)
    {
        while (position < rules.Length && (rules[position] == ',' || char.IsWhiteSpace(rules[position])))
            position++;
        return position;
    }
}
