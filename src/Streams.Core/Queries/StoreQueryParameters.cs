namespace Streams.Core;

/// <summary>Makes <see cref="StoreQueryParameters{TStore}"/>.</summary>
public static class StoreQueryParameters
{
    /// <summary>Asks for a store by name and type, in all partitions of it that this instance processes.</summary>
    public static StoreQueryParameters<TStore> FromNameAndType<TStore>(string storeName, QueryableStoreType<TStore> storeType)
        where TStore : class
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentNullException.ThrowIfNull(storeType);
        return new StoreQueryParameters<TStore>(storeName, storeType, null, false);
    }
}

/// <summary>Which store is asked for. Source: Kafka's <c>StoreQueryParameters</c> (KIP-562).</summary>
/// <typeparam name="TStore">What it is read through.</typeparam>
public sealed record StoreQueryParameters<TStore>
    where TStore : class
{
    internal StoreQueryParameters(string storeName, QueryableStoreType<TStore> storeType, int? partition, bool staleStoresEnabled)
    {
        StoreName = storeName;
        StoreType = storeType;
        Partition = partition;
        StaleStoresEnabled = staleStoresEnabled;
    }

    /// <summary>Name of the store.</summary>
    public string StoreName { get; private init; }

    /// <summary>What it is read through.</summary>
    public QueryableStoreType<TStore> StoreType { get; private init; }

    /// <summary>The only partition that is asked; <c>null</c> for all that are here.</summary>
    public int? Partition { get; private init; }

    /// <summary>Whether standbys and stores that are being restored answer too: what they say may be old.</summary>
    public bool StaleStoresEnabled { get; private init; }

    /// <summary>Asks one partition only.</summary>
    public StoreQueryParameters<TStore> WithPartition(int partition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        return this with { Partition = partition };
    }

    /// <summary>Asks standbys and stores that are being restored as well (KIP-535).</summary>
    public StoreQueryParameters<TStore> EnableStaleStores() => this with { StaleStoresEnabled = true };
}
