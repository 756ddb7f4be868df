using System.Buffers.Binary;
using System.Globalization;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Prints the files of a partition's folder as Kafka's own <c>kafka-dump-log</c> does, so that whoever knows the one can read the other: segments, their
/// indexes, aborted transactions, producer snapshots and leader epochs. It only reads, and works beside a running broker.
/// </summary>
/// <remarks>Damage is reported in the output and by the result; it never throws for what is in a file.</remarks>
internal static class LogDump
{
    /// <summary>
    /// Prints a file, by the ending of its name, or all files of a folder that are known. True when everything in them is as it should be.
    /// </summary>
    /// <param name="path">A file, or a partition's folder.</param>
    /// <param name="options">What to show.</param>
    /// <param name="output">Where to print.</param>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ArgumentException">The file is none of a partition's.</exception>
    public static bool Dump(string path, LogDumpOptions options, TextWriter output)
    {
        if (Directory.Exists(path))
        {
            bool isSound = true;
            foreach (string each in Directory.EnumerateFiles(path).Where(IsKnown).Order(StringComparer.Ordinal))
                isSound &= Dump(each, options, output);
            return isSound;
        }

        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no {path}.", path);
        if (!IsKnown(path))
            throw new ArgumentException($"{path} is no file of a partition: expected {string.Join(", ", _known)}.", nameof(path));
        Line(output, $"Dumping {path}");
        using DiskLogFile file = DiskLogFile.OpenReadOnly(path);
        string name = Path.GetFileName(path);
        return Path.GetExtension(name) switch
        {
            LogSegment.LogSuffix => DumpSegment(file, name, options, output),
            LogSegment.OffsetIndexSuffix => DumpIndex(file, name, 4, output),
            LogSegment.TimeIndexSuffix => DumpIndex(file, name, 8, output),
            LogSegment.AbortedTransactionsSuffix => DumpAborted(file, output),
            ProducerSnapshot.Suffix => DumpSnapshot(path, output),
            _ => DumpText(path, output),
        };
    }

    private static readonly string[] _known =
    [
        LogSegment.LogSuffix, LogSegment.OffsetIndexSuffix, LogSegment.TimeIndexSuffix, LogSegment.AbortedTransactionsSuffix, ProducerSnapshot.Suffix, LeaderEpochs.FileName,
    ];

    private static bool IsKnown(string path) => Array.Exists(_known, ending => path.EndsWith(ending, StringComparison.Ordinal));

    private static bool DumpSegment(DiskLogFile file, string name, LogDumpOptions options, TextWriter output)
    {
        Line(output, $"Log starting offset: {BaseOffsetOf(name)}");
        int size = (int)Math.Min(file.Length, options.MaxBytes);
        bool isSound = true;
        using var cursor = new SegmentCursor(file, 0, size, SegmentCursor.ScanBufferBytes);
        while (cursor.MoveNext() == RecordBatchStatus.Valid && cursor.TryReadBatch(out RecordBatchView batch) == RecordBatchStatus.Valid)
        {
            bool isValid = batch.IsCrcValid;
            isSound &= isValid;
            PrintBatch(batch.Header, cursor.Position, isValid, output);
            if (options.PrintRecords && isValid)
                isSound &= PrintRecords(batch, options, output);
        }

        if (cursor.IsAtEnd || size < file.Length)
            return isSound;
        int end = cursor.BatchBytes == 0 ? 0 : cursor.Position + cursor.BatchBytes;
        Line(output, $"Found {size - end} invalid bytes at the end of {name}");
        return false;
    }

    private static void PrintBatch(RecordBatchHeader header, int position, bool isValid, TextWriter output)
    {
        string horizon = header.HasDeleteHorizon ? $"OptionalLong[{header.BaseTimestamp}]" : "OptionalLong.empty";
        Part(output, $"baseOffset: {header.BaseOffset} lastOffset: {header.LastOffset} count: {header.RecordCount} baseSequence: {header.BaseSequence}");
        Part(output, $" lastSequence: {header.LastSequence} producerId: {header.ProducerId} producerEpoch: {header.ProducerEpoch}");
        Part(output, $" partitionLeaderEpoch: {header.PartitionLeaderEpoch} isTransactional: {Flag(header.IsTransactional)} isControl: {Flag(header.IsControl)}");
        Part(output, $" deleteHorizonMs: {horizon} position: {position} {header.TimestampType}: {header.MaxTimestamp} size: {header.TotalBytes} magic: {header.Magic}");
        Line(output, $" compresscodec: {Codec(header.Compression)} crc: {header.Crc} isvalid: {Flag(isValid)}");
    }

    private static bool PrintRecords(RecordBatchView batch, LogDumpOptions options, TextWriter output)
    {
        try
        {
            RecordBatchHeader header = batch.Header;
            using PooledBuffer? decompressed = batch.Decompress(options.MaxDecompressedBytes);
            int index = 0;
            foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
                PrintRecord(record, header, index++, options, output);
            return true;
        }
        catch (Exception e) when (e is ProtocolException or CompressionUnavailableException)
        {
            Line(output, $"| {e.Message}");
            return false;
        }
    }

    private static void PrintRecord(RecordView record, RecordBatchHeader header, int index, LogDumpOptions options, TextWriter output)
    {
        var headers = new List<string>();
        foreach (RecordHeaderView entry in record.GetHeaders())
            headers.Add(System.Text.Encoding.UTF8.GetString(entry.Key));
        int sequence = header.BaseSequence < 0 ? RecordBatchHeader.NoProducer : RecordBatchHeader.IncrementSequence(header.BaseSequence, (int)(record.Offset - header.BaseOffset));
        output.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"| offset: {record.Offset} {header.TimestampType}: {record.Timestamp} keySize: {record.KeyLength} valueSize: {record.ValueLength} sequence: {sequence} headerKeys: [{string.Join(',', headers)}]"));
        if (header.IsControl)
        {
            ControlRecordType type = TransactionMarker.ReadType(record);
            if (type != ControlRecordType.Unknown)
                output.Write(string.Create(CultureInfo.InvariantCulture, $" endTxnMarker: {(type == ControlRecordType.Commit ? "COMMIT" : "ABORT")} coordinatorEpoch: {TransactionMarker.ReadCoordinatorEpoch(record)}"));
            output.Write('\n');
            return;
        }

        if (!record.IsKeyNull)
            output.Write($" key: {options.Format(record.Key.ToArray())}");
        if (!record.IsValueNull)
            output.Write($" payload: {options.Format(record.Value.ToArray())}");
        output.Write('\n');
    }

    private static bool DumpIndex(DiskLogFile file, string name, int keyBytes, TextWriter output)
    {
        long baseOffset = BaseOffsetOf(name);
        Span<byte> entry = stackalloc byte[keyBytes + 4];
        long previous = long.MinValue;
        for (long position = 0; position + entry.Length <= file.Length; position += entry.Length)
        {
            file.Read(position, entry);
            int value = BinaryPrimitives.ReadInt32BigEndian(entry[keyBytes..]);
            long key = keyBytes == 4 ? BinaryPrimitives.ReadInt32BigEndian(entry) : BinaryPrimitives.ReadInt64BigEndian(entry);
            Line(output, keyBytes == 4 ? $"offset: {baseOffset + key} position: {value}" : (FormattableString)$"timestamp: {key} offset: {baseOffset + value}");
            if (key <= previous)
            {
                Line(output, $"The entries do not ascend at position {position}");
                return false;
            }

            previous = key;
        }

        if (file.Length % entry.Length == 0)
            return true;
        Line(output, $"Found {file.Length % entry.Length} bytes of half an entry at the end of {name}");
        return false;
    }

    private static bool DumpAborted(DiskLogFile file, TextWriter output)
    {
        Span<byte> entry = stackalloc byte[AbortedTransactionIndex.EntryBytes];
        for (long position = 0; position + entry.Length <= file.Length; position += entry.Length)
        {
            file.Read(position, entry);
            AbortedTransaction transaction = AbortedTransactionIndex.Decode(entry);
            Part(output, $"version: {BinaryPrimitives.ReadInt16BigEndian(entry)} producerId: {transaction.ProducerId} firstOffset: {transaction.FirstOffset}");
            Line(output, $" lastOffset: {transaction.LastOffset} lastStableOffset: {transaction.LastStableOffset}");
        }

        return file.Length % entry.Length == 0;
    }

    private static bool DumpSnapshot(string path, TextWriter output)
    {
        var table = new ProducerStateTable();
        if (!ProducerSnapshot.TryRead(DiskLogDirectory.TryReadFile(path, int.MaxValue), table))
        {
            Line(output, $"The snapshot is not readable, or does not match its checksum.");
            return false;
        }

        foreach (ProducerEntry entry in table.Entries.OrderBy(entry => entry.ProducerId))
        {
            string open = entry.TransactionFirstOffset < 0 ? "None" : string.Create(CultureInfo.InvariantCulture, $"Some({entry.TransactionFirstOffset})");
            string last = entry.Count == 0
                ? "lastSequence: -1 lastOffset: -1"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"firstSequence: {entry.Newest.FirstSequence} lastSequence: {entry.Newest.LastSequence} lastOffset: {entry.Newest.LastOffset} offsetDelta: {entry.Newest.LastOffset - entry.Newest.FirstOffset}");
            Part(output, $"producerId: {entry.ProducerId} producerEpoch: {entry.Epoch} coordinatorEpoch: {entry.CoordinatorEpoch} currentTxnFirstOffset: {open}");
            Line(output, $" lastTimestamp: {entry.LastTimestamp} {last}");
        }

        return true;
    }

    private static bool DumpText(string path, TextWriter output)
    {
        foreach (string line in File.ReadLines(path))
            Line(output, $"{line}");
        return true;
    }

    private static long BaseOffsetOf(string name) =>
        long.TryParse(Path.GetFileNameWithoutExtension(name), NumberStyles.None, CultureInfo.InvariantCulture, out long offset) ? offset : 0;

    private static string Flag(bool value) => value ? "true" : "false";

    private static string Codec(CompressionType compression) => compression switch
    {
        CompressionType.None => "none",
        CompressionType.Gzip => "gzip",
        CompressionType.Snappy => "snappy",
        CompressionType.Lz4 => "lz4",
        _ => "zstd",
    };

    /// <summary>A line that ends as on every system, with numbers as in every language.</summary>
    private static void Line(TextWriter output, FormattableString text)
    {
        Part(output, text);
        output.Write('\n');
    }

    private static void Part(TextWriter output, FormattableString text) => output.Write(text.ToString(CultureInfo.InvariantCulture));
}
