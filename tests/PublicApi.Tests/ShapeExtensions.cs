namespace PublicApi.Tests;

/// <summary>A sample for <see cref="PublicSurfaceTests"/>; extension methods cannot be nested in it.</summary>
public static class ShapeExtensions
{
    public static string Describe(this PublicSurfaceTests.Shape shape) => shape.ToString();
}
