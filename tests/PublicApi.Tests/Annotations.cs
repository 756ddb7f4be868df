using System.Collections.ObjectModel;
using System.Reflection;

namespace PublicApi.Tests;

/// <summary>
/// The nullability annotations of one type use, in the order in which the compiler stores them: outermost part first, then element or arguments.
/// <c>NullabilityInfoContext</c> would not do: it reports a plain <c>T</c> as nullable when its argument could be, so <c>T</c> and <c>T?</c> look the same.
/// Source: Roslyn's description of nullable metadata (<c>NullableAttribute</c>, <c>NullableContextAttribute</c>).
/// </summary>
internal sealed class Annotations
{
    public const byte NotNull = 1;
    public const byte MayBeNull = 2;

    private readonly IReadOnlyList<byte> _each;
    private readonly byte _all;
    private int _index;

    private Annotations(IReadOnlyList<byte> each, byte all)
    {
        _each = each;
        _all = all;
    }

    public static Annotations None => new([], 0);

    public static Annotations Of(MemberInfo member) => From(member.CustomAttributes, member.DeclaringType);

    public static Annotations Of(ParameterInfo parameter) => From(parameter.CustomAttributes, parameter.Member);

    public static Annotations Of(Type typeParameter) => From(typeParameter.CustomAttributes, (MemberInfo?)typeParameter.DeclaringMethod ?? typeParameter.DeclaringType);

    /// <summary>The annotation of the next part: 0 for none, <see cref="NotNull"/> or <see cref="MayBeNull"/>.</summary>
    public byte Next() => _index < _each.Count ? _each[_index++] : _all;

    /// <summary>The same annotations for the enclosing type of a nested one: the generic arguments of both are stored once, with the nested type.</summary>
    public Annotations ForEnclosingType() => new([0, .. _each.Skip(_index)], _all);

    private static Annotations From(IEnumerable<CustomAttributeData> attributes, MemberInfo? owner)
    {
        var value = attributes.FirstOrDefault(attribute => attribute.AttributeType.Name == "NullableAttribute")?.ConstructorArguments[0].Value;
        return value switch
        {
            byte all => new([], all),
            ReadOnlyCollection<CustomAttributeTypedArgument> each => new([.. each.Select(argument => (byte)argument.Value!)], 0),
            _ => new([], Context(owner)),
        };
    }

    private static byte Context(MemberInfo? owner)
    {
        for (; owner is not null; owner = owner.DeclaringType)
        {
            var context = owner.CustomAttributes.FirstOrDefault(attribute => attribute.AttributeType.Name == "NullableContextAttribute");
            if (context?.ConstructorArguments[0].Value is byte all)
                return all;
        }

        return 0;
    }
}
