namespace PublicApi.Tests;

/// <summary>The dump itself: a change that it did not show would pass the approval unseen.</summary>
public sealed class PublicSurfaceTests
{
    public interface ISample<in TIn, out TOut>
        where TIn : class?
        where TOut : notnull
    {
        TOut? Map(TIn input);

        int Twice(int value) => 2 * value;
    }

    public enum Level : byte
    {
        Low = 1,
        High = 2,
    }

    public delegate void Visit<T>(in T item, ref int count);

    public readonly record struct Point(int X, int Y);

    public abstract class Shape : IDisposable
    {
        public const int Limit = 7;

        protected internal Shape(string name, string? note = null) => Name = note ?? name;

        public required string Name { get; init; }

        public IReadOnlyDictionary<string, byte[]?>? Tags { get; protected set; }

        internal int Hidden { get; set; }

        public abstract bool TryGet(string key, out string? value);

        protected virtual void Draw<T>(T what, params int[] sizes)
            where T : struct, IComparable<T> => Hidden++;

        public void Dispose() => GC.SuppressFinalize(this);

        public override string ToString() => Name;
    }

    [Theory]
    [InlineData(typeof(Shape), """
        abstract class PublicApi.Tests.PublicSurfaceTests.Shape : IDisposable
            IReadOnlyDictionary<string, byte[]?>? Tags { get; protected set; }
            abstract bool TryGet(string key, out string? value)
            const int Limit = 7
            override string ToString()
            protected Shape(string name, string? note = null)
            protected virtual void Draw<T>(T what, params int[] sizes) where T : struct, IComparable<T>
            required string Name { get; init; }
            void Dispose()
        """)]
    [InlineData(typeof(Point), """
        readonly record struct PublicApi.Tests.PublicSurfaceTests.Point : IEquatable<PublicApi.Tests.PublicSurfaceTests.Point>
            Point(int X, int Y)
            int X { get; init; }
            int Y { get; init; }
        """)]
    [InlineData(typeof(ISample<,>), """
        interface PublicApi.Tests.PublicSurfaceTests.ISample<in TIn, out TOut> where TIn : class? where TOut : notnull
            TOut? Map(TIn input)
            virtual int Twice(int value)
        """)]
    [InlineData(typeof(Level), """
        enum PublicApi.Tests.PublicSurfaceTests.Level : byte
            High = 2
            Low = 1
        """)]
    [InlineData(typeof(Visit<>), "delegate void PublicApi.Tests.PublicSurfaceTests.Visit<T>(in T item, ref int count)")]
    [InlineData(typeof(ShapeExtensions), """
        static class PublicApi.Tests.ShapeExtensions
            static string Describe(this PublicApi.Tests.PublicSurfaceTests.Shape shape)
        """)]
    public void Surface_shows_what_a_user_can_depend_on(Type type, string expected)
    {
        Assert.Equal(expected.Replace("\r\n", "\n", StringComparison.Ordinal) + "\n\n", PublicSurface.Of([type]));
    }
}
