namespace Streams.Dsl.Nodes;

/// <summary>Runs a user's fixed-key processor; the key goes from the incoming to the outgoing record by itself.</summary>
internal sealed class FixedKeyNode<K, VIn, VOut> : Processor<K, VIn, K, VOut>, IFixedKeyForwarder<K, VOut>
{
    private readonly FixedKeyProcessor<K, VIn, VOut> _processor;

    public FixedKeyNode(FixedKeyProcessor<K, VIn, VOut> processor)
    {
        _processor = processor;
        processor.Attach(this);
    }

    public override void Process(in Record<K, VIn> record) => _processor.Process(new FixedKeyRecord<K, VIn>(in record));

    void IFixedKeyForwarder<K, VOut>.Forward(in FixedKeyRecord<K, VOut> record) => Forward(in record.Inner);

    protected override void Init() => _processor.Start(Context);

    protected internal override void Close() => _processor.Stop();
}
