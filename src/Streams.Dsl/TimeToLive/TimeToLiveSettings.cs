namespace Streams.Dsl.TimeToLive;

/// <summary>How long rows of a table live.</summary>
/// <param name="Ms">Milliseconds, at least 1.</param>
/// <param name="Basis">By which clock.</param>
internal sealed record TimeToLiveSettings(long Ms, TtlBasis Basis)
{
    /// <summary>For an operator that keeps rows under keys of one type; <c>null</c> for rows that live until they are deleted.</summary>
    public static RowLife<K>? Of<K>(TimeToLiveSettings? settings, Func<ISerde<K>> keySerde) => settings is null ? null : new RowLife<K>(settings, keySerde());

    /// <summary>Name of the store that knows when rows are due.</summary>
    public static string IndexOf(string storeName) => storeName + "-ttl";
}

/// <summary>What an operator has to know so that its rows expire.</summary>
internal sealed record RowLife<K>(TimeToLiveSettings Settings, ISerde<K> KeySerde);
