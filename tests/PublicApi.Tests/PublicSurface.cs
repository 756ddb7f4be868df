using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace PublicApi.Tests;

/// <summary>
/// Writes what a user of an assembly can see, one line per type and member, in an order that does not depend on the source: what changes in
/// the text changed for users. Nullability, constraints, defaults, <c>required</c> and <c>init</c> are part of it.
/// </summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly) => Of(assembly.GetExportedTypes());

    public static string Of(IEnumerable<Type> types)
    {
        var text = new StringBuilder();
        foreach (var type in types.OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(TypeHeader(type)).Append('\n');
            foreach (var line in Members(type).Order(StringComparer.Ordinal))
                text.Append("    ").Append(line).Append('\n');
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string TypeHeader(Type type)
    {
        var attributes = Attributes(type);
        var access = type.IsNestedFamily || type.IsNestedFamORAssem ? "protected " : "";
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"{attributes}{access}delegate {TypeNames.OfReturn(invoke)} {TypeNames.OfDeclaration(type)}({Parameters(invoke)}){TypeNames.Constraints(type.GetGenericArguments())}";
        }

        var bases = new List<string>();
        if (type.IsEnum)
            bases.Add(TypeNames.Of(type.GetEnumUnderlyingType()));
        else if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            bases.Add(TypeNames.Of(parent));
        if (!type.IsEnum)
        {
            // Interfaces that come with another interface or the base type would only repeat themselves.
            var inherited = type.GetInterfaces().SelectMany(i => i.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []).ToHashSet();
            bases.AddRange(type.GetInterfaces().Where(i => i.IsVisible && !inherited.Contains(i)).Select(TypeNames.Of).Order(StringComparer.Ordinal));
        }

        var suffix = bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
        return $"{attributes}{access}{Kind(type)} {TypeNames.OfDeclaration(type)}{suffix}{TypeNames.Constraints(type.GetGenericArguments())}";
    }

    private static string Kind(Type type)
    {
        if (type.IsEnum)
            return "enum";
        if (type.IsInterface)
            return "interface";
        var record = type.GetMethod("PrintMembers", Declared) is not null ? "record " : "";
        if (type.IsValueType)
        {
            var readOnly = type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "";
            return $"{readOnly}{(type.IsByRefLike ? "ref " : "")}{record}struct";
        }

        var modifier = (type.IsAbstract, type.IsSealed) switch
        {
            (true, true) => "static ",
            (true, false) => "abstract ",
            (false, true) => "sealed ",
            _ => "",
        };
        return $"{modifier}{record}class";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
            yield break;

        foreach (var field in type.GetFields(Declared).Where(field => IsSeen(field) && !field.IsSpecialName))
            yield return Field(field);
        foreach (var property in type.GetProperties(Declared).Where(property => property.GetAccessors(true).Any(IsSeen)))
            yield return Property(property);
        foreach (var happening in type.GetEvents(Declared).Where(happening => IsSeen(happening.AddMethod!)))
            yield return $"{Attributes(happening)}{Modifiers(happening.AddMethod!)}event {TypeNames.Of(happening)} {happening.Name}";
        foreach (var constructor in type.GetConstructors(Declared).Where(constructor => IsSeen(constructor) && !constructor.IsStatic))
            yield return $"{Attributes(constructor)}{Access(constructor)}{TypeNames.Simple(type)}({Parameters(constructor)})";
        foreach (var method in type.GetMethods(Declared).Where(method => IsSeen(method) && !IsPartOfAnotherMember(method) && !IsWrittenByTheCompiler(method)))
        {
            yield return $"{Attributes(method)}{Modifiers(method)}{TypeNames.OfReturn(method)} {TypeNames.OfMethod(method)}({Parameters(method)})"
                + TypeNames.Constraints(method.GetGenericArguments());
        }
    }

    private static string Field(FieldInfo field)
    {
        if (field.DeclaringType!.IsEnum)
            return $"{Attributes(field)}{field.Name} = {Convert.ToString(field.GetRawConstantValue(), System.Globalization.CultureInfo.InvariantCulture)}";
        var access = field.IsPublic ? "" : "protected ";
        if (field.IsLiteral)
            return $"{Attributes(field)}{access}const {TypeNames.Of(field)} {field.Name} = {Literal(field.GetRawConstantValue())}";
        return $"{Attributes(field)}{access}{Required(field)}{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{TypeNames.Of(field)} {field.Name}";
    }

    private static string Property(PropertyInfo property)
    {
        var widest = property.GetAccessors(true).Where(IsSeen).OrderByDescending(accessor => accessor.IsPublic).First();
        var accessors = new StringBuilder("{ ");
        if (property.GetMethod is { } get && IsSeen(get))
            accessors.Append(widest.IsPublic && !get.IsPublic ? "protected " : "").Append("get; ");
        if (property.SetMethod is { } set && IsSeen(set))
        {
            var isInit = set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
            accessors.Append(widest.IsPublic && !set.IsPublic ? "protected " : "").Append(isInit ? "init; " : "set; ");
        }

        var indices = property.GetIndexParameters();
        var name = indices.Length == 0 ? property.Name : $"this[{string.Join(", ", indices.Select(Parameter))}]";
        return $"{Attributes(property)}{Modifiers(widest)}{Required(property)}{TypeNames.Of(property)} {name} {accessors}}}";
    }

    private static string Parameters(MethodBase method)
    {
        var receiver = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return receiver + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var passing = parameter switch
        {
            { ParameterType.IsByRef: true, IsOut: true } => "out ",
            { ParameterType.IsByRef: true } when parameter.GetRequiredCustomModifiers().Any(m => m.Name == "InAttribute") || parameter.IsIn =>
                parameter.IsDefined(typeof(RequiresLocationAttribute)) ? "ref readonly " : "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) => "params ",
            _ => "",
        };
        var fallback = parameter.HasDefaultValue ? " = " + Literal(parameter.RawDefaultValue) : "";
        return $"{passing}{TypeNames.Of(parameter)} {parameter.Name}{fallback}";
    }

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => "\"" + text + "\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
    };

    private static string Modifiers(MethodInfo method)
    {
        var modifiers = Access(method);
        if (method.IsStatic)
            modifiers += "static ";
        if (method.DeclaringType!.IsInterface)
            return modifiers + (method.IsStatic && method.IsAbstract ? "abstract " : !method.IsStatic && !method.IsAbstract ? "virtual " : "");
        if (method.IsAbstract)
            modifiers += "abstract ";
        else if (method.IsVirtual)
            modifiers += (method.GetBaseDefinition() != method, method.IsFinal) switch
            {
                (true, true) => "sealed override ",
                (true, false) => "override ",
                (false, true) => "",
                (false, false) => "virtual ",
            };
        if (method.DeclaringType.IsValueType && !method.IsStatic && method.IsDefined(typeof(IsReadOnlyAttribute)))
            modifiers += "readonly ";
        return modifiers;
    }

    private static string Required(MemberInfo member) => member.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";

    private static string Attributes(MemberInfo member)
    {
        var text = "";
        if (member.GetCustomAttribute<ObsoleteAttribute>() is { Message: var message } && !IsCompilersRefStructMark(member))
            text += $"[Obsolete(\"{message}\")] ";
        if (member.GetCustomAttribute<System.Diagnostics.CodeAnalysis.ExperimentalAttribute>() is { } experimental)
            text += $"[Experimental(\"{experimental.DiagnosticId}\")] ";
        if (member.IsDefined(typeof(FlagsAttribute)))
            text += "[Flags] ";
        return text;
    }

    private static bool IsCompilersRefStructMark(MemberInfo member) => member is Type { IsByRefLike: true } or ConstructorInfo;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static bool IsSeen(MethodBase method) => method.IsPublic || ((method.IsFamily || method.IsFamilyOrAssembly) && !method.DeclaringType!.IsSealed);

    private static bool IsSeen(FieldInfo field) => field.IsPublic || ((field.IsFamily || field.IsFamilyOrAssembly) && !field.DeclaringType!.IsSealed);

    private static bool IsPartOfAnotherMember(MethodInfo method) =>
        method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    // A record's equality, copying and printing follow from its kind, which the header states.
    private static bool IsWrittenByTheCompiler(MethodInfo method) =>
        method.IsDefined(typeof(CompilerGeneratedAttribute)) || method.Name.Contains('<', StringComparison.Ordinal);
}
