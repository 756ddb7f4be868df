namespace Streams.Core;

/// <summary>
/// Whether a type can be <c>null</c>. A field, because <c>value is null</c> on a struct boxes it in code that is not optimised yet: on the path of every
/// record this is asked first, so that it costs no memory from the first record on, and in debug builds too.
/// </summary>
internal static class Nullability<T>
{
    public static readonly bool CanBeNull = default(T) is null;
}

/// <summary>Tests of values for <c>null</c> that never box.</summary>
internal static class Nullability
{
    /// <summary>Whether a value is there: not <c>null</c>, where its type can be.</summary>
    /// <remarks>The first question is a constant in compiled code and saves code that is shared by all classes a look-up of the exact type.</remarks>
    public static bool IsPresent<T>(T value) => typeof(T).IsValueType ? !Nullability<T>.CanBeNull || value is not null : value is not null;
}
