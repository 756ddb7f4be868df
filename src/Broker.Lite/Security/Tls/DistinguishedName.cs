using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Broker.Lite.Security.Tls;

/// <summary>
/// A certificate's subject as text in the form of RFC 2253, most specific part first: <c>CN=alice,OU=sales,O=example</c>. Mapping rules and
/// access rules are written against this form, so it has to be the one Java gives (<c>X500Principal.getName</c>).
/// </summary>
internal static class DistinguishedName
{
    private static readonly Dictionary<string, string> _keywords = new(StringComparer.Ordinal)
    {
        ["2.5.4.3"] = "CN",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["2.5.4.9"] = "STREET",
        ["0.9.2342.19200300.100.1.25"] = "DC",
        ["0.9.2342.19200300.100.1.1"] = "UID",
    };

    public static string Of(X500DistinguishedName name)
    {
        var text = new StringBuilder();
        foreach (var part in name.EnumerateRelativeDistinguishedNames(reversed: true))
        {
            if (text.Length > 0)
                text.Append(',');
            AppendPart(text, part.RawData);
        }

        return text.ToString();
    }

    private static void AppendPart(StringBuilder text, ReadOnlyMemory<byte> encoded)
    {
        var attributes = new AsnReader(encoded, AsnEncodingRules.DER).ReadSetOf(skipSortOrderValidation: true);
        for (var isFirst = true; attributes.HasData; isFirst = false)
        {
            if (!isFirst)
                text.Append('+');
            var attribute = attributes.ReadSequence();
            var oid = attribute.ReadObjectIdentifier();
            var value = attribute.PeekEncodedValue();
            if (_keywords.TryGetValue(oid, out var keyword) && ReadText(attribute) is { } plain)
            {
                text.Append(keyword).Append('=');
                AppendEscaped(text, plain);
            }
            else
            {
                text.Append(oid).Append("=#").Append(Convert.ToHexStringLower(value.Span));
            }
        }
    }

    private static string? ReadText(AsnReader attribute)
    {
        var tag = attribute.PeekTag();
        if (tag.TagClass != TagClass.Universal)
            return null;
        return (UniversalTagNumber)tag.TagValue switch
        {
            UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.T61String
                or UniversalTagNumber.BMPString => attribute.ReadCharacterString((UniversalTagNumber)tag.TagValue),
            _ => null,
        };
    }

    private static void AppendEscaped(StringBuilder text, string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var atEdge = value[i] == ' ' && (i == 0 || i == value.Length - 1);
            if (atEdge || value[i] is ',' or '+' or '"' or '\\' or '<' or '>' or ';' || (value[i] == '#' && i == 0))
                text.Append('\\');
            text.Append(value[i]);
        }
    }
}
