namespace Streams.Dsl.Nodes;

/// <summary>
/// Whether user functions may see an absent key or value: as <c>null</c> where the type has one; a struct that cannot be <c>null</c> has nothing to
/// show, and <c>default</c> would be a lie. See docs/adr/0020-absent-values.md for what each operator does then.
/// </summary>
internal static class Absent
{
    public static bool CanShow<K, V>(in Record<K, V> record) =>
        (CanBeNull<K>() || record.HasKey) && (CanBeNull<V>() || record.HasValue);

    public static bool CanShowKey<K, V>(in Record<K, V> record) => CanBeNull<K>() || record.HasKey;

    public static bool CanShowValue<K, V>(in Record<K, V> record) => CanBeNull<V>() || record.HasValue;

    // A constant in compiled code, for classes without a look-up of the exact type; and nothing is boxed before it is compiled.
    private static bool CanBeNull<T>() => !typeof(T).IsValueType || Nullability<T>.CanBeNull;
}
