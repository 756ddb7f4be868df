namespace Streams.Core;

/// <summary>Type names as a C# developer writes them, for messages.</summary>
internal static class TypeNames
{
    public static string Of(Type type)
    {
        if (type == typeof(string)) return "string";
        if (type == typeof(long)) return "long";
        if (type == typeof(int)) return "int";
        if (type == typeof(short)) return "short";
        if (type == typeof(bool)) return "bool";
        if (type == typeof(double)) return "double";
        if (type == typeof(float)) return "float";
        if (type == typeof(byte[])) return "byte[]";
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Of(underlying) + "?";
        if (type.IsArray) return Of(type.GetElementType()!) + "[]";
        if (!type.IsGenericType) return type.Name;

        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        var name = tick < 0 ? type.Name : type.Name[..tick];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }
}
