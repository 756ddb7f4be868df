using System.Collections;
using System.Reflection;
using Kafka.Protocol.Messages;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>Between message objects and the schema's values, by reflection.</summary>
internal static class MessageObject
{
    public static IMessage New(string name) => (IMessage)Activator.CreateInstance(TypeOf(name))!;

    public static Type TypeOf(string name) => typeof(ProduceRequest).Assembly.GetType($"Kafka.Protocol.Messages.{name}", throwOnError: true)!;

    public static IEnumerable<PropertyInfo> FieldProperties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);

    public static void Fill(object target, List<SchemaField> fields, Dictionary<string, object?> value)
    {
        foreach (var field in fields)
        {
            var property = target.GetType().GetProperty(field.Name)!;
            property.SetValue(target, ToClr(property.PropertyType, field, value[field.Name]));
        }
    }

    public static Dictionary<string, object?> ToValue(object source, List<SchemaField> fields) =>
        fields.ToDictionary(f => f.Name, f => FromClr(f, source.GetType().GetProperty(f.Name)!.GetValue(source)), StringComparer.Ordinal);

    private static object? ToClr(Type type, SchemaField field, object? value)
    {
        if (value is null)
            return null;
        if (field.IsArray)
        {
            var list = (IList)Activator.CreateInstance(type)!;
            foreach (var item in (List<object?>)value)
                list.Add(ItemToClr(type.GetGenericArguments()[0], field, item!));
            return list;
        }

        return ItemToClr(Nullable.GetUnderlyingType(type) ?? type, field, value);
    }

    private static object ItemToClr(Type type, SchemaField field, object value)
    {
        if (field.IsStruct)
        {
            var inner = Activator.CreateInstance(type)!;
            Fill(inner, field.Fields, (Dictionary<string, object?>)value);
            return inner;
        }

        if (type.IsEnum)
            return Enum.ToObject(type, value);
        return value is byte[] bytes ? new ReadOnlyMemory<byte>(bytes) : value;
    }

    private static object? FromClr(SchemaField field, object? value)
    {
        if (value is null)
            return null;
        return field.IsArray ? ((IEnumerable)value).Cast<object?>().Select(item => ItemFromClr(field, item!)).ToList() : ItemFromClr(field, value);
    }

    private static object? ItemFromClr(SchemaField field, object value)
    {
        if (field.IsStruct)
            return ToValue(value, field.Fields);
        return value switch
        {
            ErrorCode code => (short)code,
            ApiKey key => (short)key,
            ReadOnlyMemory<byte> bytes => bytes.ToArray(),
            _ => value,
        };
    }
}
