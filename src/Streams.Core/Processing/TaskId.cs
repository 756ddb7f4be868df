using System.Globalization;

namespace Streams.Core;

/// <summary>Names a task: a sub-topology and the partition of its input topics that the task works on. Printed <c>subtopology_partition</c>.</summary>
/// <param name="Subtopology">Number of the sub-topology, from 0.</param>
/// <param name="Partition">Partition, from 0.</param>
public readonly record struct TaskId(int Subtopology, int Partition) : IComparable<TaskId>
{
    /// <summary>Reads the printed form; false when the text is not one.</summary>
    public static bool TryParse(string text, out TaskId id)
    {
        ArgumentNullException.ThrowIfNull(text);
        id = default;
        var separator = text.IndexOf('_', StringComparison.Ordinal);
        if (separator <= 0
            || !int.TryParse(text.AsSpan(0, separator), NumberStyles.None, CultureInfo.InvariantCulture, out var subtopology)
            || !int.TryParse(text.AsSpan(separator + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
        {
            return false;
        }

        id = new TaskId(subtopology, partition);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(TaskId other) =>
        Subtopology != other.Subtopology ? Subtopology.CompareTo(other.Subtopology) : Partition.CompareTo(other.Partition);

    /// <summary>Orders by sub-topology, then partition.</summary>
    public static bool operator <(TaskId left, TaskId right) => left.CompareTo(right) < 0;

    /// <summary>Orders by sub-topology, then partition.</summary>
    public static bool operator >(TaskId left, TaskId right) => left.CompareTo(right) > 0;

    /// <summary>Orders by sub-topology, then partition.</summary>
    public static bool operator <=(TaskId left, TaskId right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by sub-topology, then partition.</summary>
    public static bool operator >=(TaskId left, TaskId right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Subtopology}_{Partition}");
}
