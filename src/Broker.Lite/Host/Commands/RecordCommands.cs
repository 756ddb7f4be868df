using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Broker.Lite.Host.Client;
using Broker.Lite.Logs;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Host.Commands;

/// <summary>Records: write lines of text to a topic, read a topic as lines, and look into segment files.</summary>
internal static class RecordCommands
{
    private const int MaxDecompressedBytes = 256 * 1024 * 1024;
    private const int MaxBatchRecords = 1000;
    private const string NullText = "null";

    public static IEnumerable<ToolCommand> All =>
    [
        new("produce", """
            Write lines of standard input as records.
              --topic NAME  --partition N (default: by key as Java clients choose, else in turn)  --key-separator TEXT  --header KEY=VALUE (may be repeated)
              --null-marker TEXT (this value is a tombstone)  --compression none|gzip|snappy|lz4|zstd  --acks 1|-1 (default -1)  --timestamp MS
            """, ["--topic", "--partition", "--key-separator", "--header", "--null-marker", "--compression", "--acks", "--timestamp"], [], ProduceAsync),
        new("consume", """
            Read records as lines.
              --topic NAME  --partition N (default all)  --from-beginning, --offset N or --from-time MS (default: what comes from now on)
              --group NAME (begin at its committed offsets and commit)  --max-records N  --exit-at-end (stop at the end there is now)  --read-committed
              --print-key  --print-timestamp  --print-offset  --print-headers  --separator TEXT (default tab)
            """, ["--topic", "--partition", "--offset", "--from-time", "--group", "--max-records", "--separator"], ["--from-beginning", "--exit-at-end", "--read-committed", "--print-key", "--print-timestamp", "--print-offset", "--print-headers"], ConsumeAsync),
        new("dump-log", "Show the files of a partition as Kafka's own tool does; exit code 1 tells of damage.\n  --file PATH (a file or a partition's folder; may be repeated)  --records  show each record too", ["--file"], ["--records"], DumpAsync),
    ];

    /// <summary>A produce request of one batch.</summary>
    public static ProduceRequest Request(string topic, int partition, byte[] batch, short acks) => new()
    {
        TransactionalId = null,
        Acks = acks,
        TimeoutMs = 30_000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = batch }] }],
    };

    /// <summary>Reads batches of a partition; empty if there is nothing yet.</summary>
    public static async Task<ReadOnlyMemory<byte>> FetchAsync(
        ClusterClient cluster, MetadataResponse.MetadataResponseTopic topic, TopicPartitionName partition, long offset, int maxBytes, int maxWaitMs, bool readCommitted, CancellationToken cancellationToken)
    {
        var leader = await cluster.NodeAsync(topic.Partitions.Single(known => known.PartitionIndex == partition.Partition).LeaderId, cancellationToken).ConfigureAwait(false);
        var answer = await leader.SendAsync(
            version => new FetchRequest
            {
                ReplicaId = -1,
                MaxWaitMs = maxWaitMs,
                MinBytes = 1,
                MaxBytes = maxBytes,
                IsolationLevel = (sbyte)(readCommitted ? 1 : 0),
                SessionEpoch = -1,
                Topics =
                [
                    new()
                    {
                        Topic = version >= 13 ? "" : partition.Topic,
                        TopicId = version >= 13 ? topic.TopicId : Guid.Empty,
                        Partitions = [new() { Partition = partition.Partition, FetchOffset = offset, PartitionMaxBytes = maxBytes, CurrentLeaderEpoch = -1, LastFetchedEpoch = -1, LogStartOffset = -1 }],
                    },
                ],
            },
            cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.ErrorCode, null, $"Fetch of {partition}");
        if (answer.Responses.Count == 0)
            return default;
        var result = answer.Responses[0].Partitions[0];
        ClusterClient.Check(result.ErrorCode, null, $"Fetch of {partition} at offset {offset}");
        return readCommitted ? WithoutAborted(result) : result.Records ?? default;
    }

    private static async Task ProduceAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        var separator = tool.Arguments.Text("--key-separator");
        var marker = tool.Arguments.Text("--null-marker");
        var headers = tool.Arguments.Pairs("--header").Select(pair => new RecordHeader(pair.Key, Encoding.UTF8.GetBytes(pair.Value))).ToArray();
        var acks = (short)tool.Arguments.Number("--acks", -1, -1, 1);
        if (acks == 0)
            throw new ToolException("--acks 0 would not say whether records were taken");
        if (!Enum.TryParse<CompressionType>(tool.Arguments.Text("--compression") ?? "none", ignoreCase: true, out var codec))
            throw new ToolException("--compression is none, gzip, snappy, lz4 or zstd");
        var topic = await tool.Cluster.TopicAsync(name, cancellationToken).ConfigureAwait(false);
        var batches = new Dictionary<int, RecordBatchBuilder>();
        var turn = 0;
        try
        {
            var waiting = 0;
            while (await tool.Input.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                var split = separator is null ? -1 : line.IndexOf(separator, StringComparison.Ordinal);
                if (separator is not null && split < 0)
                    throw new ToolException($"This line has no key, that is no '{separator}': {line}");
                var key = split < 0 ? null : Encoding.UTF8.GetBytes(line[..split]);
                var text = split < 0 ? line : line[(split + separator!.Length)..];
                var value = text == marker ? null : Encoding.UTF8.GetBytes(text);
                var partition = tool.Arguments.Has("--partition") ? (int)tool.Arguments.Number("--partition", 0, 0, int.MaxValue)
                    : key is null ? turn++ % topic.Partitions.Count
                    : (Murmur2(key) & int.MaxValue) % topic.Partitions.Count;
                if (!batches.TryGetValue(partition, out var batch))
                    batches[partition] = batch = new RecordBatchBuilder(new RecordBatchOptions { Compression = codec });
                var timestamp = tool.Arguments.Number("--timestamp", tool.Time.GetUtcNow().ToUnixTimeMilliseconds());
                if (!batch.TryAppend(timestamp, key, value, headers))
                    throw new ToolException("A record is too large for a batch");
                if (++waiting < MaxBatchRecords)
                    continue;
                await FlushAsync(tool.Cluster, topic, batches, acks, cancellationToken).ConfigureAwait(false);
                waiting = 0;
            }

            await FlushAsync(tool.Cluster, topic, batches, acks, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var batch in batches.Values)
                batch.Dispose();
        }
    }

    private static async Task FlushAsync(ClusterClient cluster, MetadataResponse.MetadataResponseTopic topic, Dictionary<int, RecordBatchBuilder> batches, short acks, CancellationToken cancellationToken)
    {
        foreach (var (index, batch) in batches)
        {
            if (batch.Count == 0)
                continue;
            var partition = topic.Partitions.Find(known => known.PartitionIndex == index) ?? throw new ToolException($"Topic {topic.Name} has no partition {index}");
            var leader = await cluster.NodeAsync(partition.LeaderId, cancellationToken).ConfigureAwait(false);
            var answer = await leader.SendAsync(_ => Request(topic.Name!, index, batch.Build().ToArray(), acks), cancellationToken).ConfigureAwait(false);
            var result = answer.Responses[0].PartitionResponses[0];
            ClusterClient.Check(result.ErrorCode, result.ErrorMessage, $"Partition {topic.Name}-{index}");
            batch.Reset();
        }
    }

    private static async Task ConsumeAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        const int FetchBytes = 1024 * 1024;
        var name = tool.Arguments.Required("--topic");
        var readCommitted = tool.Arguments.Has("--read-committed");
        var topic = await tool.Cluster.TopicAsync(name, cancellationToken).ConfigureAwait(false);
        var partitions = topic.Partitions.Select(partition => new TopicPartitionName(name, partition.PartitionIndex)).ToList();
        if (tool.Arguments.Has("--partition"))
            partitions = [new(name, (int)tool.Arguments.Number("--partition", 0, 0, int.MaxValue))];
        var ends = await tool.Cluster.OffsetsAsync(partitions, -1, cancellationToken).ConfigureAwait(false);
        var positions = await StartAsync(tool, partitions, ends, cancellationToken).ConfigureAwait(false);
        var left = tool.Arguments.Number("--max-records", long.MaxValue, 1);
        var printer = new RecordPrinter(tool);
        try
        {
            while (left > 0 && !(tool.Arguments.Has("--exit-at-end") && partitions.TrueForAll(partition => positions[partition] >= ends[partition])))
            {
                foreach (var partition in partitions)
                {
                    if (left == 0 || (tool.Arguments.Has("--exit-at-end") && positions[partition] >= ends[partition]))
                        continue;
                    // With several partitions none may hold the others up for long.
                    var wait = partitions.Count == 1 ? 500 : 500 / partitions.Count;
                    var batches = await FetchAsync(tool.Cluster, topic, partition, positions[partition], FetchBytes, wait, readCommitted, cancellationToken).ConfigureAwait(false);
                    if (batches.IsEmpty && tool.Arguments.Has("--exit-at-end") && readCommitted)
                        positions[partition] = ends[partition]; // the rest belongs to open transactions
                    positions[partition] = printer.Print(batches.Span, partition.Partition, positions[partition], ref left);
                }

                await tool.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // Also when interrupted: what was printed was consumed.
            if (tool.Arguments.Text("--group") is { } group)
                await CommitAsync(tool.Cluster, group, positions, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static async Task<Dictionary<TopicPartitionName, long>> StartAsync(
        ToolContext tool, List<TopicPartitionName> partitions, Dictionary<TopicPartitionName, long> ends, CancellationToken cancellationToken)
    {
        var starts = tool.Arguments.Has("--from-beginning") ? await tool.Cluster.OffsetsAsync(partitions, -2, cancellationToken).ConfigureAwait(false)
            : tool.Arguments.Has("--from-time") ? await tool.Cluster.OffsetsAsync(partitions, tool.Arguments.Number("--from-time", 0), cancellationToken).ConfigureAwait(false)
            : tool.Arguments.Has("--offset") ? partitions.ToDictionary(partition => partition, _ => tool.Arguments.Number("--offset", 0))
            : new Dictionary<TopicPartitionName, long>(ends);
        foreach (var partition in partitions.Where(partition => starts[partition] < 0))
            starts[partition] = ends[partition];
        if (tool.Arguments.Text("--group") is not { } group)
            return starts;
        var coordinator = await tool.Cluster.CoordinatorAsync(group, cancellationToken).ConfigureAwait(false);
        var answer = await coordinator.SendAsync(
            version => version >= 8
                ? new OffsetFetchRequest { Groups = [new() { GroupId = group, MemberId = null, MemberEpoch = -1, Topics = [new() { Name = partitions[0].Topic, PartitionIndexes = [.. partitions.Select(partition => partition.Partition)] }] }] }
                : new OffsetFetchRequest { GroupId = group, Topics = [new() { Name = partitions[0].Topic, PartitionIndexes = [.. partitions.Select(partition => partition.Partition)] }] },
            cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.ErrorCode, null, $"Group {group}");
        foreach (var found in answer.Groups)
            ClusterClient.Check(found.ErrorCode, null, $"Group {group}");
        var committed = answer.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex, partition.CommittedOffset)))
            .Concat(answer.Groups.SelectMany(found => found.Topics).SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex, partition.CommittedOffset))));
        foreach (var (topicName, index, offset) in committed.Where(entry => entry.CommittedOffset >= 0))
            starts[new(topicName, index)] = offset;
        return starts;
    }

    private static async Task CommitAsync(ClusterClient cluster, string group, Dictionary<TopicPartitionName, long> positions, CancellationToken cancellationToken)
    {
        var coordinator = await cluster.CoordinatorAsync(group, cancellationToken).ConfigureAwait(false);
        var answer = await coordinator.SendAsync(
            _ => new OffsetCommitRequest
            {
                GroupId = group,
                GenerationIdOrMemberEpoch = -1,
                MemberId = "",
                RetentionTimeMs = -1,
                Topics = [new() { Name = positions.Keys.First().Topic, Partitions = [.. positions.Select(position => new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = position.Key.Partition, CommittedOffset = position.Value, CommittedLeaderEpoch = -1, CommittedMetadata = "" })] }],
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var partition in answer.Topics[0].Partitions)
            ClusterClient.Check(partition.ErrorCode, null, $"Commit for group {group}");
    }

    private static Task DumpAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        _ = tool.Arguments.Required("--file");
        var options = new LogDumpOptions { PrintRecords = tool.Arguments.Has("--records") };
        var isSound = true;
        foreach (var path in tool.Arguments.Texts("--file"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                isSound &= LogDump.Dump(path, options, tool.Output);
            }
            catch (ArgumentException e)
            {
                throw new ToolException(e.Message, e);
            }
        }

        return isSound ? Task.CompletedTask : throw new ToolException("There is damage; see above");
    }

    /// <summary>Leaves out the batches of aborted transactions, as read-committed consumers must (KIP-98).</summary>
    private static byte[] WithoutAborted(FetchResponse.PartitionData result)
    {
        var batches = (result.Records ?? default).Span;
        var aborted = new Queue<FetchResponse.AbortedTransaction>((result.AbortedTransactions ?? []).OrderBy(transaction => transaction.FirstOffset));
        var producers = new HashSet<long>();
        using var kept = new MemoryStream();
        while (RecordBatchView.TryRead(batches, out var batch) == RecordBatchStatus.Valid)
        {
            while (aborted.TryPeek(out var next) && next.FirstOffset <= batch.Header.LastOffset)
                producers.Add(aborted.Dequeue().ProducerId);
            if (batch.Header.IsControl || !batch.Header.IsTransactional || !producers.Contains(batch.Header.ProducerId))
                kept.Write(batch.Bytes);
            if (batch.Header.IsControl)
                producers.Remove(batch.Header.ProducerId);
            batches = batches[batch.Bytes.Length..];
        }

        return kept.ToArray();
    }

    /// <summary>The hash Java clients choose partitions with.</summary>
    private static int Murmur2(ReadOnlySpan<byte> data)
    {
        const uint M = 0x5bd1e995;
        const int R = 24;
        var h = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            k ^= k >> R;
            h = (h * M) ^ (k * M);
            data = data[4..];
        }

        if (data.Length == 3)
            h ^= (uint)data[2] << 16;
        if (data.Length >= 2)
            h ^= (uint)data[1] << 8;
        if (data.Length >= 1)
            h = (h ^ data[0]) * M;
        h = (h ^ (h >> 13)) * M;
        return (int)(h ^ (h >> 15));
    }

    /// <summary>Writes records as lines with what was asked for.</summary>
    private sealed class RecordPrinter(ToolContext tool)
    {
        private readonly string _separator = tool.Arguments.Text("--separator") ?? "\t";
        private readonly bool _key = tool.Arguments.Has("--print-key");
        private readonly bool _timestamp = tool.Arguments.Has("--print-timestamp");
        private readonly bool _offset = tool.Arguments.Has("--print-offset");
        private readonly bool _headers = tool.Arguments.Has("--print-headers");

        /// <summary>Prints what is at or after the position, at most as many as are left, and returns the next position.</summary>
        public long Print(ReadOnlySpan<byte> batches, int partition, long position, ref long left)
        {
            while (RecordBatchView.TryRead(batches, out var batch) == RecordBatchStatus.Valid)
            {
                batches = batches[batch.Bytes.Length..];
                if (!batch.Header.IsControl)
                {
                    using var plain = batch.Decompress(MaxDecompressedBytes);
                    foreach (var record in plain is null ? batch.GetRecords() : batch.GetRecords(plain.WrittenSpan))
                    {
                        if (record.Offset < position)
                            continue;
                        if (left == 0)
                            return record.Offset;
                        Print(record, partition);
                        left--;
                        position = record.Offset + 1;
                    }
                }

                position = Math.Max(position, batch.Header.LastOffset + 1);
            }

            return position;
        }

        private void Print(RecordView record, int partition)
        {
            var line = new StringBuilder();
            if (_timestamp)
                line.Append(CultureInfo.InvariantCulture, $"{record.Timestamp}{_separator}");
            if (_offset)
                line.Append(CultureInfo.InvariantCulture, $"{partition}:{record.Offset}{_separator}");
            if (_headers)
            {
                var first = true;
                foreach (var header in record.GetHeaders())
                {
                    line.Append(first ? "" : ",").Append(Encoding.UTF8.GetString(header.Key)).Append(':').Append(header.IsValueNull ? NullText : Encoding.UTF8.GetString(header.Value));
                    first = false;
                }

                line.Append(_separator);
            }

            if (_key)
                line.Append(record.IsKeyNull ? NullText : Encoding.UTF8.GetString(record.Key)).Append(_separator);
            line.Append(record.IsValueNull ? NullText : Encoding.UTF8.GetString(record.Value));
            tool.Output.WriteLine(line.ToString());
        }
    }
}
