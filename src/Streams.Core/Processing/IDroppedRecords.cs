namespace Streams.Core;

/// <summary>A node that takes the records which its parent leaves out, instead of what the parent forwards.</summary>
/// <typeparam name="K">Key type of the records that come to the parent.</typeparam>
/// <typeparam name="V">Their value type.</typeparam>
internal interface IDroppedRecords<K, V>
{
    /// <summary>Takes a record as it came to the parent.</summary>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why the parent leaves it out.</param>
    /// <param name="window">Window that it would have been in, where there is one.</param>
    /// <param name="streamTimeMs">Time that the parent had come to, Unix milliseconds; -1 where it has none of its own.</param>
    /// <param name="node">Name of the parent.</param>
    void Take(in Record<K, V> record, DropReason reason, Window? window, long streamTimeMs, string node);
}
