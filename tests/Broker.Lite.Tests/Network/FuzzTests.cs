using System.Buffers.Binary;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Network;

/// <summary>Valid bytes, randomly changed: parsers say no with their own exception, the broker answers or closes, and neither takes memory for what was only announced.</summary>
public sealed class FuzzTests
{
    private const int Seed = 20261121;
    private const long MaxAllocatedPerFrame = 4 * 1024 * 1024;

    [Fact]
    public async Task Mutated_requests_of_every_api_and_version_are_read_or_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        var random = new Random(Seed);
        foreach (var handler in broker.Server.Dispatcher.Handlers)
        {
            for (var version = handler.Versions.Min; version <= handler.Versions.Max; version++)
            {
                var valid = Frame(handler.Key, version, random);
                for (var round = 0; round < 60; round++)
                {
                    var mutated = Mutate(valid, random);
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    try
                    {
                        MessageFrames.DecodeRequest(mutated, out _);
                    }
                    catch (ProtocolException)
                    {
                        // Refused, as it should be.
                    }

                    var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                    Assert.True(allocated < MaxAllocatedPerFrame, $"seed {Seed}: {handler.Key} v{version} round {round} took {allocated} bytes for {mutated.Length}");
                }
            }
        }
    }

    [Fact]
    public async Task Broker_answers_or_closes_whatever_comes_and_goes_on_serving_others()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        using var witness = new RawClient(broker.Port);
        var random = new Random(Seed);
        var handlers = broker.Server.Dispatcher.Handlers;
        for (var round = 0; round < 300; round++)
        {
            var handler = handlers[random.Next(handlers.Count)];
            var frame = Mutate(Frame(handler.Key, (short)random.Next(handler.Versions.Min, handler.Versions.Max + 1), random), random);
            var bytes = new byte[sizeof(int) + frame.Length];
            BinaryPrimitives.WriteInt32BigEndian(bytes, frame.Length);
            frame.CopyTo(bytes, sizeof(int));
            using var client = new RawClient(broker.Port);
            await client.SendAsync(bytes);
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            while (await client.ReceiveFrameAsync() is not null)
            {
            }

            if (round % 50 == 0)
                Assert.NotEmpty((await witness.CallAsync(new MetadataRequest { Topics = null }, 4, round)).Brokers);
        }
    }

    [Fact]
    public void Mutated_record_batches_are_read_or_refused()
    {
        var random = new Random(Seed);
        byte[][] valid = [Batches.Of("a", "b", "c"), Batches.Build(new RecordBatchOptions { Compression = CompressionType.Gzip }, 5, "x", "y"), Batches.Build(new RecordBatchOptions { Compression = CompressionType.Snappy }, 5, "x"), Batches.Build(new RecordBatchOptions { Compression = CompressionType.Lz4 }, 5, "x")];
        for (var round = 0; round < 4_000; round++)
        {
            var mutated = Mutate(valid[round % valid.Length], random);
            try
            {
                if (RecordBatchView.TryRead(mutated, out var batch) != RecordBatchStatus.Valid)
                    continue;
                using var plain = batch.Decompress(1024 * 1024);
                foreach (var record in plain is null ? batch.GetRecords() : batch.GetRecords(plain.WrittenSpan))
                {
                    foreach (var header in record.GetHeaders())
                        _ = header.Key.Length + header.Value.Length;
                }
            }
            catch (Exception e) when (e is ProtocolException or InvalidDataException)
            {
                // Refused, as it should be.
            }
        }
    }

    private static byte[] Frame(ApiKey key, short version, Random random)
    {
        using var writer = new ProtocolWriter();
        new RequestHeader(key, version, random.Next(), "fuzz").Write(writer);
        using var header = writer.ToFrame();
        // What a body is does not matter much: lengths, counts and flags appear in any mixture of small and large numbers.
        var body = new byte[random.Next(8, 120)];
        for (var i = 0; i < body.Length; i++)
            body[i] = random.Next(4) switch { 0 => (byte)random.Next(256), 1 => 0xff, 2 => (byte)random.Next(4), _ => 0 };
        return [.. header.ToArray().AsSpan(sizeof(int)), .. body];
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        var bytes = (byte[])valid.Clone();
        for (var change = random.Next(1, 5); change > 0; change--)
            bytes[random.Next(Math.Min(8, bytes.Length - 1), bytes.Length)] = (byte)random.Next(256);
        return random.Next(5) == 0 ? bytes[..random.Next(8, bytes.Length)] : bytes;
    }
}
