using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace PublicApi.Tests;

/// <summary>
/// Writes the page of an assembly's public types and members with their documentation comments, as Markdown: docs/api. Sorted by name, so that what changes in the text changed for users.
/// </summary>
internal static partial class ApiPages
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly, XDocument comments)
    {
        var byId = comments.Descendants("member").ToDictionary(member => (string)member.Attribute("name")!, StringComparer.Ordinal);
        var text = new StringBuilder();
        text.Append("# ").Append(assembly.GetName().Name).Append("\n\nWritten by `tests/PublicApi.Tests` from the documentation comments; see [the overview](README.md).\n");
        foreach (var type in Types(assembly).OrderBy(type => type.FullName, StringComparer.Ordinal)) Append(type, byId, text);
        return text.ToString();
    }

    /// <summary>The types that a page shows: all but the wire's messages, whose names and fields are those of Kafka's protocol guide.</summary>
    public static IEnumerable<Type> Types(Assembly assembly) => assembly.GetExportedTypes().Where(type => type.Namespace != "Kafka.Protocol.Messages");

    public static string Overview(IEnumerable<(string Product, int Types)> products)
    {
        var text = new StringBuilder("# Public API\n\nA page per package, written from the documentation comments by `tests/PublicApi.Tests`, which fails when they are not current. Concepts are in the [guide](../guide/README.md).\n\n| Package | Types |\n|---|---|\n");
        foreach (var (product, types) in products) text.Append("| [").Append(product).Append("](").Append(product).Append(".md) | ").Append(types).Append(" |\n");
        return text.ToString();
    }

    private static void Append(Type type, Dictionary<string, XElement> comments, StringBuilder text)
    {
        var comment = comments.GetValueOrDefault("T:" + Id(type));
        text.Append("\n## ").Append(Escaped(TypeNames.OfDeclaration(type)[(type.Namespace!.Length + 1)..])).Append('\n');
        AppendParagraphs(comment, text);
        AppendParameters(comment, "typeparam", text);

        // The parameters of a record or a primary constructor stand at the type.
        AppendParameters(comment, "param", text);
        var members = Members(type).OrderBy(member => member.Name, StringComparer.Ordinal).ToList();
        if (members.Count == 0) return;
        text.Append("\n| Member | |\n|---|---|\n");
        foreach (var (name, result, id) in members)
            text.Append("| `").Append((result.Length > 0 ? $"{result} {name}" : name).Replace("|", "\\|", StringComparison.Ordinal)).Append("` | ").Append(InCell(comments.GetValueOrDefault(id))).Append(" |\n");
    }

    private static IEnumerable<(string Name, string Result, string Id)> Members(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type)) yield break;
        foreach (var field in type.GetFields(Declared).Where(field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName))
            yield return (field.Name, type.IsEnum ? "" : Ours().Replace(TypeNames.Of(field), ""), $"F:{Id(type)}.{field.Name}");
        if (type.IsEnum) yield break;
        foreach (var property in type.GetProperties(Declared).Where(property => property.GetAccessors(nonPublic: true).Any(IsVisible)))
            yield return (property.Name + (property.GetIndexParameters() is { Length: > 0 } index ? $"[{string.Join(", ", index.Select(Parameter))}]" : ""), Ours().Replace(TypeNames.Of(property), ""), $"P:{Id(type)}.{property.Name}{Ids(property.GetIndexParameters())}");
        foreach (var member in type.GetEvents(Declared).Where(member => member.AddMethod is { IsPublic: true }))
            yield return (member.Name, Ours().Replace(TypeNames.Of(member), ""), $"E:{Id(type)}.{member.Name}");
        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible))
            yield return ($"new({string.Join(", ", constructor.GetParameters().Select(Parameter))})", "", $"M:{Id(type)}.#ctor{Ids(constructor.GetParameters())}");
        foreach (var method in type.GetMethods(Declared).Where(method => IsVisible(method) && !IsAccessor(method) && !IsMadeForRecords(type, method)))
        {
            var generic = method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
            var arity = method.IsGenericMethodDefinition ? $"``{method.GetGenericArguments().Length}" : "";
            var target = method.Name is "op_Implicit" or "op_Explicit" ? $"~{Id(method.ReturnType, method)}" : "";
            yield return ($"{method.Name}{generic}({string.Join(", ", method.GetParameters().Select(Parameter))})", Ours().Replace(TypeNames.OfReturn(method), ""), $"M:{Id(type)}.{method.Name}{arity}{Ids(method.GetParameters())}{target}");
        }
    }

    private static string Parameter(ParameterInfo parameter) => $"{Ours().Replace(TypeNames.Of(parameter), "")} {parameter.Name}";

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    // What every record has, nobody looks up.
    private static bool IsMadeForRecords(Type type, MethodInfo method) =>
        method.Name is "Equals" or "GetHashCode" or "ToString" or "<Clone>$" or "PrintMembers" or "Deconstruct" or "get_EqualityContract" or "op_Equality" or "op_Inequality"
        && (method.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)) || type.GetMethod("<Clone>$") is not null || method.Name is "Equals" or "GetHashCode" or "ToString");

    private static void AppendParagraphs(XElement? comment, StringBuilder text)
    {
        foreach (var name in new[] { "summary", "remarks" })
        {
            if (comment?.Element(name) is { } element && Text(element) is { Length: > 0 } words) text.Append('\n').Append(words).Append('\n');
        }
    }

    private static void AppendParameters(XElement? comment, string kind, StringBuilder text)
    {
        var parameters = comment?.Elements(kind).Where(parameter => Text(parameter).Length > 0).ToList() ?? [];
        if (parameters.Count == 0) return;
        text.Append('\n');
        foreach (var parameter in parameters) text.Append("- `").Append((string)parameter.Attribute("name")!).Append("`: ").Append(Text(parameter)).Append('\n');
    }

    private static string InCell(XElement? comment)
    {
        if (comment is null) return "";
        if (comment.Element("inheritdoc") is not null) return "*As declared by the base type.*";
        var parts = new List<string>();
        if (comment.Element("summary") is { } summary) parts.Add(Text(summary));
        if (comment.Element("remarks") is { } remarks) parts.Add(Text(remarks));
        foreach (var parameter in comment.Elements("param").Where(parameter => Text(parameter).Length > 0)) parts.Add($"`{(string)parameter.Attribute("name")!}`: {Text(parameter)}");
        foreach (var exception in comment.Elements("exception")) parts.Add($"Throws `{Short((string)exception.Attribute("cref")!)}`: {Text(exception)}");
        return string.Join("<br>", parts.Select(part => part.Replace("\n\n", "<br>", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal)));
    }

    private static string Text(XElement element)
    {
        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            switch (node)
            {
                case XText words:
                    text.Append(Escaped(words.Value));
                    break;
                case XElement { Name.LocalName: "see" or "seealso" or "paramref" or "typeparamref" } reference:
                    text.Append('`').Append(Short((string?)(reference.Attribute("cref") ?? reference.Attribute("langword") ?? reference.Attribute("name")) ?? reference.Value)).Append('`');
                    break;
                case XElement { Name.LocalName: "c" or "code" } code:
                    text.Append('`').Append(code.Value.Trim()).Append('`');
                    break;
                case XElement { Name.LocalName: "para" } paragraph:
                    text.Append("\n\n").Append(Text(paragraph)).Append("\n\n");
                    break;
                case XElement other:
                    text.Append(Text(other));
                    break;
                default:
                    break;
            }
        }

        return string.Join("\n\n", Paragraph().Split(text.ToString()).Select(part => Blank().Replace(part, " ").Trim()).Where(part => part.Length > 0));
    }

    // Only what Markdown would take for a tag: comments are prose otherwise.
    private static string Escaped(string text) => text.Replace("<", "\\<", StringComparison.Ordinal);

    private static string Short(string cref)
    {
        var name = cref.Contains(':', StringComparison.Ordinal) ? cref[(cref.IndexOf(':', StringComparison.Ordinal) + 1)..] : cref;
        var isMember = cref.Length > 1 && cref[1] == ':' && cref[0] is 'M' or 'P' or 'F' or 'E';
        name = name.Split('(')[0];
        var parts = Arity().Replace(name, "").Replace("#ctor", "new", StringComparison.Ordinal).Split('.');
        return isMember && parts.Length > 1 ? $"{parts[^2]}.{parts[^1]}" : parts[^1];
    }

    private static string Ids(ParameterInfo[] parameters) => parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(parameter => Id(parameter.ParameterType, parameter.Member)))})";

    // The compiler's ids of documentation comments: ECMA-334, annex D.
    private static string Id(Type type, MemberInfo? within = null)
    {
        if (type.IsByRef) return Id(type.GetElementType()!, within) + "@";
        if (type.IsArray) return Id(type.GetElementType()!, within) + "[]";
        if (type.IsPointer) return Id(type.GetElementType()!, within) + "*";
        if (type.IsGenericParameter) return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        if (within is null || !type.IsGenericType) return (type.FullName ?? type.Name).Replace('+', '.');

        // Arguments stand where the parameters of each enclosing type are counted.
        var definition = type.GetGenericTypeDefinition().FullName!.Replace('+', '.');
        var arguments = new Queue<Type>(type.GetGenericArguments());
        return Arity().Replace(definition, match => $"{{{string.Join(',', Enumerable.Range(0, int.Parse(match.Value[1..], System.Globalization.CultureInfo.InvariantCulture)).Select(_ => Id(arguments.Dequeue(), within)))}}}");
    }

    [GeneratedRegex(@"`+\d+")]
    private static partial Regex Arity();

    // Names in signatures without the libraries' own namespaces.
    [GeneratedRegex(@"\b(?:Streams|Kafka|Broker)\.(?:[A-Z]\w*\.)*(?=[A-Z]\w*)")]
    private static partial Regex Ours();

    [GeneratedRegex(@"\n\s*\n")]
    private static partial Regex Paragraph();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
