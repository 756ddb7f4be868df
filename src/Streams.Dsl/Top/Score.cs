namespace Streams.Dsl.Top;

/// <summary>Numbers to rank by, as whole numbers in the same order, so that one kind of ranking serves all and bytes can be sorted by it.</summary>
internal static class Score
{
    public const int MaxCount = 10_000;

    /// <summary>A number's place among all numbers: the order of <see cref="double.CompareTo(double)"/>, in which NaN is the smallest; both zeros are one.</summary>
    public static long Of(double number)
    {
        if (double.IsNaN(number)) return long.MinValue;
        if (number == 0) return 0;

        // The bits of a positive number are in its order; those of a negative one in the opposite.
        var bits = BitConverter.DoubleToInt64Bits(number);
        return bits >= 0 ? bits : -(bits & long.MaxValue);
    }

    public static int Checked(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxCount);
        return count;
    }
}
