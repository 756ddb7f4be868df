namespace Streams.Dsl;

/// <summary>
/// Stands for the key that records and rows have already, in the join of a query: <c>join c in customers on RecordKey.Same equals RecordKey.Same</c>.
/// </summary>
/// <remarks>Nothing is given another key then, so nothing is repartitioned. Both sides must have the same key type.</remarks>
public sealed class RecordKey
{
    private RecordKey()
    {
    }

    /// <summary>The key as it is.</summary>
    public static RecordKey Same { get; } = new();
}
