using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.ModelCheck;

/// <summary>
/// Random histories of producers, transactions, commits, reads and passing time: the broker answers each request as a simple model of
/// partitions and transactions does, and everybody reads what the model says.
/// </summary>
public sealed class TransactionModelTests
{
    [Fact]
    public Task Broker_behaves_as_its_model_in_memory() => Seeds.ForEachAsync(1000, async seed =>
    {
        await using var history = new History(seed, null);
        await history.RunAsync(80);
    });

    [Fact]
    public Task Broker_behaves_as_its_model_across_restarts() => Seeds.ForEachAsync(40, async seed =>
    {
        using var folder = new TestFolder();
        await using var history = new History(seed, folder.Path);
        await history.RunAsync(80);
    });

    private sealed class History : IAsyncDisposable
    {
        private const string Topic = "t";
        private const string Group = "g";

        private readonly Random _random;
        private readonly string? _folder;
        private readonly ManualClock _clock = new();
        private readonly ModelPartition[] _partitions = [new(), new()];
        private readonly ModelTransactions _model;
        private readonly string[] _ids = ["x", "y"];
        private readonly List<(string Id, ModelTransactions.Producer Producer)> _producers = [];
        private readonly HashSet<long> _producerIds = [];
        private readonly List<string> _steps = [];
        private TestBroker? _broker;
        private int _values;

        public History(int seed, string? folder)
        {
            _random = new Random(seed);
            _folder = folder;
            _model = new ModelTransactions(_partitions);
        }

        private TestBroker Broker => _broker!;

        public async Task RunAsync(int steps)
        {
            await StartAsync();
            await Broker.CreateTopicAsync(Topic, _partitions.Length, ("segment.bytes", "2000"), ("retention.ms", "-1"));
            try
            {
                for (var i = 0; i < steps; i++)
                    await StepAsync();
                for (var partition = 0; partition < _partitions.Length; partition++)
                {
                    await ReadAsync(partition, _partitions[partition].Start, committedOnly: true);
                    await ReadAsync(partition, _partitions[partition].Start, committedOnly: false);
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message}\nAfter:\n{string.Join('\n', _steps)}", e);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (_broker is not null)
                await _broker.DisposeAsync();
        }

        private async Task StartAsync() => _broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = _folder }, _clock);

        private async Task StepAsync()
        {
            var partition = _random.Next(_partitions.Length);
            switch (_random.Next(_folder is null ? 100 : 103))
            {
                case < 8:
                    await InitAsync();
                    break;
                case < 25 when _producers.Count > 0:
                    await AddAsync(partition);
                    break;
                case < 45 when _producers.Count > 0:
                    await WriteAsync(partition);
                    break;
                case < 49 when _producers.Count > 0:
                    await RepeatAsync();
                    break;
                case < 59 when _producers.Count > 0:
                    await EndAsync();
                    break;
                case < 64 when _producers.Count > 0:
                    await AddOffsetsAsync();
                    break;
                case < 70 when _producers.Count > 0:
                    await CommitInTransactionAsync(partition);
                    break;
                case < 73:
                    await CommitAsync(partition);
                    break;
                case < 78:
                    await WritePlainAsync(partition);
                    break;
                case < 80:
                    await DeleteRecordsAsync(partition);
                    break;
                case < 84:
                    PassTime();
                    break;
                case < 90:
                    await FetchOffsetAsync(partition);
                    break;
                case < 100:
                    var range = _partitions[partition];
                    await ReadAsync(partition, _random.NextInt64(range.Start, range.End + 1), committedOnly: _random.Next(2) == 0);
                    break;
                default:
                    Note("restart");
                    await Broker.DisposeAsync();
                    await StartAsync();
                    break;
            }
        }

        private async Task InitAsync()
        {
            var timeoutMs = _random.Next(1, 30) * 1000;
            // A producer that exists asks again as itself, or a new one comes up.
            var asItself = _producers.Count > 0 && _random.Next(3) == 0;
            var (id, producer) = asItself ? Any() : (_ids[_random.Next(_ids.Length)], new ModelTransactions.Producer());
            Note($"init {id} {producer.Id}/{producer.Epoch} asItself {asItself} timeout {timeoutMs}");
            var response = await Broker.SendAsync(new InitProducerIdRequest
            {
                TransactionalId = id,
                TransactionTimeoutMs = timeoutMs,
                ProducerId = asItself ? producer.Id : -1,
                ProducerEpoch = asItself ? producer.Epoch : (short)-1,
            });
            var expected = _model.Init(id, producer, asItself, timeoutMs, () =>
            {
                Assert.True(_producerIds.Add(response.ProducerId), $"Producer id {response.ProducerId} was given twice");
                return response.ProducerId;
            });
            Assert.Equal(expected, response.ErrorCode);
            if (expected != ErrorCode.None)
                return;
            Assert.Equal((producer.Id, producer.Epoch), (response.ProducerId, response.ProducerEpoch));
            if (!asItself)
                _producers.Add((id, producer));
        }

        private async Task AddAsync(int partition)
        {
            var (id, producer) = Any();
            Note($"add {id} {producer.Id}/{producer.Epoch} {partition}");
            var response = await Broker.SendAsync(new AddPartitionsToTxnRequest
            {
                V3AndBelowTransactionalId = id,
                V3AndBelowProducerId = producer.Id,
                V3AndBelowProducerEpoch = producer.Epoch,
                V3AndBelowTopics = [new() { Name = Topic, Partitions = [partition] }],
            });
            var expected = _model.Add(id, producer, partition, _clock.NowMs);
            Assert.Equal(expected, response.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode);
        }

        private async Task WriteAsync(int partition)
        {
            var (id, producer) = Any();
            var values = NewValues();
            var sequence = producer.Sequences.GetValueOrDefault(partition);
            Note($"write {id} {producer.Id}/{producer.Epoch} {partition} x{values.Length} at {sequence}");
            var result = await SendAsync(id, producer, partition, sequence, values);
            var offset = _partitions[partition].End;
            var expected = _model.Write(id, producer, partition, values);
            Assert.Equal(expected, result.ErrorCode);
            if (expected != ErrorCode.None)
                return;
            Assert.Equal(offset, result.BaseOffset);
            producer.Sequences[partition] = sequence + values.Length;
            producer.LastBatch[partition] = (sequence, values, offset);
        }

        private async Task RepeatAsync()
        {
            var (id, producer) = Any();
            if (producer.LastBatch.Count == 0)
                return;
            var (partition, (sequence, values, offset)) = producer.LastBatch.First();
            Note($"repeat {id} {producer.Id}/{producer.Epoch} {partition} at {sequence}");
            var result = await SendAsync(id, producer, partition, sequence, values);
            // Answered with its offset for as long as the log has not heard of a later epoch, whatever became of the transaction.
            var isFenced = _partitions[partition].Knows(producer.Id, laterThan: producer.Epoch);
            Assert.Equal(isFenced ? (ErrorCode.InvalidProducerEpoch, -1) : (ErrorCode.None, offset), (result.ErrorCode, result.BaseOffset));
        }

        private async Task EndAsync()
        {
            var (id, producer) = Any();
            var commit = _random.Next(3) > 0;
            Note($"end {id} {producer.Id}/{producer.Epoch} commit {commit}");
            var response = await Broker.SendAsync(new EndTxnRequest { TransactionalId = id, ProducerId = producer.Id, ProducerEpoch = producer.Epoch, Committed = commit });
            Assert.Equal(_model.End(id, producer, commit), response.ErrorCode);
        }

        private async Task AddOffsetsAsync()
        {
            var (id, producer) = Any();
            Note($"add offsets {id} {producer.Id}/{producer.Epoch}");
            var response = await Broker.SendAsync(new AddOffsetsToTxnRequest { TransactionalId = id, ProducerId = producer.Id, ProducerEpoch = producer.Epoch, GroupId = Group });
            Assert.Equal(_model.AddOffsets(id, producer, _clock.NowMs), response.ErrorCode);
        }

        private async Task CommitInTransactionAsync(int partition)
        {
            var (id, producer) = Any();
            var offset = _random.Next(100);
            Note($"txn commit {id} {producer.Id}/{producer.Epoch} {partition} = {offset}");
            var response = await Broker.SendAsync(new TxnOffsetCommitRequest
            {
                TransactionalId = id,
                ProducerId = producer.Id,
                ProducerEpoch = producer.Epoch,
                GroupId = Group,
                Topics = [new() { Name = Topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset }] }],
            });
            Assert.Equal(_model.CommitOffset(id, producer, partition, offset), response.Topics[0].Partitions[0].ErrorCode);
        }

        private async Task CommitAsync(int partition)
        {
            var offset = _random.Next(100);
            Note($"commit {partition} = {offset}");
            Assert.Equal(ErrorCode.None, await new TestMember(Broker, Group).CommitAsync(Topic, offset, partition: partition));
            _model.CommitOffset(partition, offset);
        }

        private async Task WritePlainAsync(int partition)
        {
            var values = NewValues();
            Note($"plain {partition} x{values.Length}");
            var result = await Broker.ProduceAsync(Topic, Batches.At(_clock.NowMs, values), partition);
            Assert.Equal((ErrorCode.None, _partitions[partition].End), (result.ErrorCode, result.BaseOffset));
            _partitions[partition].Append(values);
        }

        private async Task DeleteRecordsAsync(int partition)
        {
            var offset = _random.NextInt64(0, _partitions[partition].End + 1);
            Note($"delete {partition} before {offset}");
            var response = await Broker.SendAsync(new DeleteRecordsRequest { Topics = [new() { Name = Topic, Partitions = [new() { PartitionIndex = partition, Offset = offset }] }] });
            _partitions[partition].DeleteBefore(offset);
            Assert.Equal((ErrorCode.None, _partitions[partition].Start), (response.Topics[0].Partitions[0].ErrorCode, response.Topics[0].Partitions[0].LowWatermark));
        }

        private void PassTime()
        {
            var time = TimeSpan.FromMilliseconds(_random.Next(1, 12_000));
            Note($"{time.TotalMilliseconds} ms pass");
            _clock.Advance(time);
            _model.PassTime(_clock.NowMs);
        }

        private async Task FetchOffsetAsync(int partition)
        {
            var requireStable = _random.Next(2) == 0;
            Note($"offset of {partition} stable {requireStable}");
            var response = await Broker.SendAsync(new OffsetFetchRequest
            {
                RequireStable = requireStable,
                Groups = [new() { GroupId = Group, Topics = [new() { Name = Topic, PartitionIndexes = [partition] }] }],
            });
            var found = response.Groups[0].Topics[0].Partitions[0];
            Assert.Equal(_model.FindOffset(partition, requireStable), (found.CommittedOffset, found.ErrorCode));
        }

        private async Task ReadAsync(int partition, long from, bool committedOnly)
        {
            Note($"read {partition} from {from} committed {committedOnly}");
            var model = _partitions[partition];
            var records = new List<(long Offset, string Value)>();
            for (var next = from; ;)
            {
                var request = TestBroker.Fetch(Topic, next, partition, maxBytes: _random.Next(50, 2000));
                request.IsolationLevel = committedOnly ? (sbyte)1 : (sbyte)0;
                var fetched = (await Broker.SendAsync(request)).Responses[0].Partitions[0];
                Assert.Equal(
                    (ErrorCode.None, model.End, model.LastStable, model.Start),
                    (fetched.ErrorCode, fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset));
                if (fetched.Records!.Value.Length == 0)
                {
                    Assert.True(next >= (committedOnly ? model.LastStable : model.End), $"Nothing came from offset {next}");
                    break;
                }

                var read = committedOnly ? CommittedReader.Read(fetched) : Batches.ReadData(fetched.Records);
                records.AddRange(read.Where(record => record.Offset >= next));
                next = Batches.EndOffset(fetched.Records);
            }

            Assert.Equal(model.Read(from, committedOnly), records);
        }

        private async Task<ProduceResponse.PartitionProduceResponse> SendAsync(
            string id, ModelTransactions.Producer producer, int partition, int sequence, string[] values)
        {
            var options = new RecordBatchOptions { ProducerId = producer.Id, ProducerEpoch = producer.Epoch, BaseSequence = sequence, IsTransactional = true };
            var request = TestBroker.Produce(Topic, Batches.Build(options, _clock.NowMs, values), partition);
            request.TransactionalId = id;
            return (await Broker.SendAsync(request)).Responses[0].PartitionResponses[0];
        }

        private (string Id, ModelTransactions.Producer Producer) Any() => _producers[_random.Next(Math.Max(0, _producers.Count - 3), _producers.Count)];

        private string[] NewValues() => [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => $"value {_values++}")];

        private void Note(string step) => _steps.Add(step);
    }
}
