namespace Streams.Core;

/// <summary>
/// Whether a type can be <c>null</c>. A field, because <c>value is null</c> on a struct boxes it in code that is not optimised yet: on the path of every
/// record this is asked first, so that it costs no memory from the first record on, and in debug builds too.
/// </summary>
internal static class Nullability<T>
{
    public static readonly bool CanBeNull = default(T) is null;
}
