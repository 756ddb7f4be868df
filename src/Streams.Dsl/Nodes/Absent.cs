namespace Streams.Dsl.Nodes;

/// <summary>
/// Whether user functions may see an absent key or value: as <c>null</c> where the type has one; a struct that cannot be <c>null</c> has nothing to
/// show, and <c>default</c> would be a lie. See docs/adr/0020-absent-values.md for what each operator does then.
/// </summary>
internal static class Absent
{
    // "default(T) is null" is a constant to the JIT in each instantiation, so for types that can be null nothing is tested per record.
    public static bool CanShow<K, V>(in Record<K, V> record) =>
        (default(K) is null || record.HasKey) && (default(V) is null || record.HasValue);

    public static bool CanShowKey<K, V>(in Record<K, V> record) => default(K) is null || record.HasKey;

    public static bool CanShowValue<K, V>(in Record<K, V> record) => default(V) is null || record.HasValue;
}
