using Streams.Dsl.Nodes;

namespace Streams.Dsl.Windows;

/// <summary>What is done with the values of a window, whatever the kind of window.</summary>
internal abstract class Aggregation<K, V, VR>
{
    /// <summary>The aggregate of a window that has none; false when there is nothing to begin with.</summary>
    public abstract bool TryInitialize(out VR aggregate);

    /// <summary>Whether there is nothing to begin with, so that a session taken over is the aggregate as it is.</summary>
    public virtual bool BeginsEmpty => false;

    /// <summary>The aggregate with the record's value; a <c>null</c> value is passed where the type has one.</summary>
    public abstract VR Apply(in Record<K, V> record, VR aggregate, bool hasAggregate);

    /// <summary>Whether the record can be aggregated: an absent struct cannot be shown to a user's function.</summary>
    public virtual bool CanTake(in Record<K, V> record) => Absent.CanShowValue(in record);
}

/// <summary>Counts, also records without value, as Kafka Streams does in windows (E-03).</summary>
internal sealed class CountAggregation<K, V> : Aggregation<K, V, long>
{
    public override bool TryInitialize(out long aggregate)
    {
        aggregate = 0;
        return true;
    }

    public override long Apply(in Record<K, V> record, long aggregate, bool hasAggregate) => aggregate + 1;

    public override bool CanTake(in Record<K, V> record) => true;
}

/// <summary>Combines values; the first is the aggregate as it is.</summary>
internal sealed class ReduceAggregation<K, V>(Func<V, V, V> reducer) : Aggregation<K, V, V>
{
    public override bool BeginsEmpty => true;

    public override bool TryInitialize(out V aggregate)
    {
        aggregate = default!;
        return false;
    }

    public override V Apply(in Record<K, V> record, V aggregate, bool hasAggregate) => hasAggregate ? reducer(aggregate, record.Value) : record.Value;
}

/// <summary>Folds values into an aggregate of another type.</summary>
internal sealed class FoldAggregation<K, V, VR>(Func<VR> initializer, Func<K, V, VR, VR> aggregator) : Aggregation<K, V, VR>
{
    public override bool TryInitialize(out VR aggregate)
    {
        aggregate = initializer();
        return Nullability.IsPresent(aggregate);
    }

    public override VR Apply(in Record<K, V> record, VR aggregate, bool hasAggregate) => aggregator(record.Key, record.Value, aggregate);
}
