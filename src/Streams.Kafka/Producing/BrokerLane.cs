using Streams.Kafka.Wire;

namespace Streams.Kafka.Producing;

/// <summary>What is under way to one broker. Guarded by the sender's gate.</summary>
internal sealed class BrokerLane(BrokerAddress address)
{
    public BrokerAddress Address => address;

    /// <summary>Requests that wait for their answer.</summary>
    public int InFlight { get; set; }

    /// <summary>Until when the broker wants nothing from us because a quota is used up (KIP-219), as a timestamp of the clock.</summary>
    public long MutedUntil { get; set; }

    /// <summary>The request that is being put together.</summary>
    public ProduceCall? Next { get; set; }
}
