using System.Globalization;

namespace Interop;

/// <summary>Names that keep tests on the shared broker apart.</summary>
internal static class Topics
{
    private static int _count;

    public static string Unique(string purpose) => $"{purpose}-{Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The names a theory is given, in order, to compare with what its script offers.</summary>
    public static IEnumerable<string> InlineNames(Type tests, string theory) =>
        tests.GetMethod(theory)!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Select(attribute => (string)((InlineDataAttribute)attribute).Data[0]!)
            .Order(StringComparer.Ordinal);
}
