using System.Reflection;

namespace PublicApi.Tests;

/// <summary>Types as C# writes them: keywords, generic arguments, arrays, tuples' fields as plain <c>ValueTuple</c>, and <c>?</c> for what may be null.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> _keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(char)] = "char",
        [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short", [typeof(ushort)] = "ushort", [typeof(int)] = "int",
        [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong", [typeof(nint)] = "nint", [typeof(nuint)] = "nuint",
        [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal",
    };

    public static string Of(FieldInfo field) => Of(field.FieldType, Annotations.Of(field));

    public static string Of(EventInfo happening) => Of(happening.EventHandlerType!, Annotations.Of(happening));

    public static string Of(PropertyInfo property) => (property.PropertyType.IsByRef ? "ref " : "") + Of(property.PropertyType, Annotations.Of(property));

    public static string Of(ParameterInfo parameter) => Of(parameter.ParameterType, Annotations.Of(parameter));

    public static string OfReturn(MethodInfo method)
    {
        var result = method.ReturnParameter;
        var reference = !result.ParameterType.IsByRef ? ""
            : result.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "InAttribute") ? "ref readonly " : "ref ";
        return reference + Of(result);
    }

    public static string OfMethod(MethodInfo method) =>
        method.IsGenericMethod ? $"{method.Name}<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : method.Name;

    /// <summary>The name with its namespace and its type parameters by name and variance, as where it is declared.</summary>
    public static string OfDeclaration(Type type)
    {
        var path = type.IsNested ? OfDeclaration(type.DeclaringType!) + "." : type.Namespace is { } space ? space + "." : "";
        var inherited = type.DeclaringType?.GetGenericArguments().Length ?? 0;
        var own = type.GetGenericArguments().Skip(inherited).Select(argument => Variance(argument) + argument.Name).ToList();
        return path + Simple(type) + (own.Count == 0 ? "" : $"<{string.Join(", ", own)}>");
    }

    public static string Simple(Type type)
    {
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? type.Name : type.Name[..tick];
    }

    public static string Constraints(Type[] arguments)
    {
        var clauses = "";
        foreach (var argument in arguments)
        {
            var parts = new List<string>();
            var flags = argument.GenericParameterAttributes;
            var isStruct = flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
            if (flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
                parts.Add(Annotations.Of(argument).Next() == Annotations.MayBeNull ? "class?" : "class");
            else if (isStruct)
                parts.Add(argument.CustomAttributes.Any(attribute => attribute.AttributeType.Name == "IsUnmanagedAttribute") ? "unmanaged" : "struct");
            else if (argument.GetGenericParameterConstraints().Length == 0 && Annotations.Of(argument).Next() == Annotations.NotNull)
                parts.Add("notnull");
            parts.AddRange(argument.GetGenericParameterConstraints().Where(constraint => constraint != typeof(ValueType)).Select(Of).Order(StringComparer.Ordinal));
            if (flags.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct)
                parts.Add("new()");
            if (flags.HasFlag(GenericParameterAttributes.AllowByRefLike))
                parts.Add("allows ref struct");
            if (parts.Count > 0)
                clauses += $" where {argument.Name} : {string.Join(", ", parts)}";
        }

        return clauses;
    }

    public static string Of(Type type) => Of(type, Annotations.None);

    // Takes one annotation for each part of the type that can have one, in the order in which the compiler wrote them.
    private static string Of(Type type, Annotations annotations)
    {
        if (type.IsByRef)
            return Of(type.GetElementType()!, annotations);
        if (type.IsPointer)
            return Of(type.GetElementType()!, annotations) + "*";
        if (type.IsFunctionPointer)
            return "delegate*";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Of(underlying, annotations) + "?";

        var mark = "";
        if (!type.IsValueType || type.IsGenericType)
            mark = annotations.Next() == Annotations.MayBeNull ? "?" : "";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, annotations)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (type.IsGenericParameter)
            return type.Name + mark;
        if (_keywords.TryGetValue(type, out var keyword))
            return keyword + mark;

        // The system's own namespaces add length and no information; everybody else's are kept.
        var isSystem = type.Namespace is null || type.Namespace == "System" || type.Namespace.StartsWith("System.", StringComparison.Ordinal);
        var path = type.IsNested ? Of(OuterOf(type), annotations.ForEnclosingType()) + "." : isSystem ? "" : type.Namespace + ".";
        var arguments = type.GetGenericArguments().Select(argument => Of(argument, annotations)).ToList();
        var own = arguments.Skip(type.DeclaringType?.GetGenericArguments().Length ?? 0).ToList();
        return path + Simple(type) + (own.Count == 0 ? "" : $"<{string.Join(", ", own)}>") + mark;
    }

    /// <summary>The declaring type, closed over the arguments that <paramref name="nested"/> carries for it.</summary>
    private static Type OuterOf(Type nested)
    {
        var outer = nested.DeclaringType!;
        return outer.IsGenericTypeDefinition && !nested.IsGenericTypeDefinition
            ? outer.MakeGenericType([.. nested.GetGenericArguments().Take(outer.GetGenericArguments().Length)])
            : outer;
    }

    private static string Variance(Type argument) => (argument.GenericParameterAttributes & GenericParameterAttributes.VarianceMask) switch
    {
        GenericParameterAttributes.Covariant => "out ",
        GenericParameterAttributes.Contravariant => "in ",
        _ => "",
    };
}
