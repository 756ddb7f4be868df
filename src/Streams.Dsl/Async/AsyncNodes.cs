using Streams.Dsl.Nodes;

namespace Streams.Dsl.Async;

/// <summary>Gives each record the value that a call gives. An absent struct stays absent without a call.</summary>
internal sealed class AsyncMapValues<K, V, VR>(Func<K, V, CancellationToken, Task<VR>> mapper, AsyncOptions options) : AsyncNode<K, V, K, VR, VR>(options)
{
    protected override bool CanCall(in Record<K, V> record) => Absent.CanShow(in record);

    protected override Task<VR> CallAsync(Record<K, V> record, CancellationToken cancellationToken) => mapper(record.Key, record.Value, cancellationToken);

    protected override void Emit(in Record<K, V> record, VR result) => Forward(record.WithValue(result));

    protected override void EmitSkipped(in Record<K, V> record) => Forward(record.WithoutValue<VR>());
}

/// <summary>Keeps the records for which a call says true. A record with an absent struct is dropped.</summary>
internal sealed class AsyncFilter<K, V>(Func<K, V, CancellationToken, Task<bool>> predicate, AsyncOptions options) : AsyncNode<K, V, K, V, bool>(options)
{
    protected override bool CanCall(in Record<K, V> record) => Absent.CanShow(in record);

    protected override Task<bool> CallAsync(Record<K, V> record, CancellationToken cancellationToken) => predicate(record.Key, record.Value, cancellationToken);

    protected override void Emit(in Record<K, V> record, bool result)
    {
        if (result) Forward(in record);
    }

    protected override void EmitSkipped(in Record<K, V> record)
    {
    }
}

/// <summary>Turns each record into the records that a call gives.</summary>
internal sealed class AsyncProcess<K, V, KOut, VOut>(Func<Record<K, V>, CancellationToken, Task<IReadOnlyList<Record<KOut, VOut>>>> process, AsyncOptions options)
    : AsyncNode<K, V, KOut, VOut, IReadOnlyList<Record<KOut, VOut>>>(options)
{
    protected override bool CanCall(in Record<K, V> record) => true;

    protected override Task<IReadOnlyList<Record<KOut, VOut>>> CallAsync(Record<K, V> record, CancellationToken cancellationToken) => process(record, cancellationToken);

    protected override void Emit(in Record<K, V> record, IReadOnlyList<Record<KOut, VOut>> result)
    {
        foreach (var each in result) Forward(in each);
    }

    protected override void EmitSkipped(in Record<K, V> record)
    {
    }
}
