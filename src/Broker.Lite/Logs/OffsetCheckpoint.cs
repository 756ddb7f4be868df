using System.Globalization;
using System.Text;

namespace Broker.Lite.Logs;

/// <summary>
/// An offset per partition, in a text file of the data folder in Kafka's format: version 0, count, then "topic partition offset" per line.
/// </summary>
internal static class OffsetCheckpoint
{
    public const string LogStartFileName = "log-start-offset-checkpoint";
    public const string CleanerFileName = "cleaner-offset-checkpoint";
    public const string RecoveryPointFileName = "recovery-point-offset-checkpoint";

    /// <summary>Room for more partitions than a broker has.</summary>
    private const int MaxFileBytes = 64 * 1024 * 1024;

    /// <summary>The content of a file for these logs.</summary>
    public static string Format(IEnumerable<PartitionLog> logs, Func<PartitionLog, long> offsetOf)
    {
        var lines = new StringBuilder();
        int count = 0;
        foreach (PartitionLog log in logs)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{log.Topic} {log.Partition} {offsetOf(log)}\n");
            count++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"0\n{count}\n{lines}");
    }

    /// <summary>Replaces the file.</summary>
    public static void Write(string path, string content, bool flush) =>
        DiskLogDirectory.ReplaceFile(path, Encoding.UTF8.GetBytes(content), flush);

    /// <summary>Reads the file by folder name ("topic-partition"); false when it is malformed. A missing file is an empty one.</summary>
    public static bool TryRead(string path, Dictionary<string, long> offsets)
    {
        byte[]? content = DiskLogDirectory.TryReadFile(path, MaxFileBytes);
        if (content is null)
            return !File.Exists(path);
        string[] lines = Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 2 || lines[0] != "0" || !int.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return false;
        if (count != lines.Length - 2)
            return false;
        foreach (string line in lines.Skip(2))
        {
            string[] fields = line.Split(' ');
            if (fields.Length != 3
                || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
                || !long.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                return false;
            }

            offsets[string.Create(CultureInfo.InvariantCulture, $"{fields[0]}-{partition}")] = offset;
        }

        return true;
    }
}
