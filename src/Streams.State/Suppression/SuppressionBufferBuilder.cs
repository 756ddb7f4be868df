namespace Streams.State.Suppression;

/// <summary>Describes the buffer of a <c>suppress</c>.</summary>
internal sealed class SuppressionBufferBuilder<K, V>(string name, ISerde<K> keySerde, ISerde<V> valueSerde)
    : StoreBuilder<ISuppressionBuffer<K, V>, SuppressionBufferBuilder<K, V>>(name)
{
    /// <inheritdoc/>
    public override ISuppressionBuffer<K, V> Build() => new SuppressionBuffer<K, V>(Name, keySerde, valueSerde);
}
