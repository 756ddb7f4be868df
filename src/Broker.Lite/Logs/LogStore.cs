using System.Collections.Concurrent;
using System.Globalization;
using Broker.Lite.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Logs;

/// <summary>
/// The partition logs of a broker. On disk each is a folder "topic-partition" of the data folder, beside the checkpoints, a lock file that keeps
/// a second process out, and after a clean stop the marker <c>.kafka_cleanshutdown</c>, all named as Kafka names them.
/// </summary>
internal sealed class LogStore : ILogStore
{
    private const string LockFileName = ".lock";
    private const string CleanShutdownFileName = ".kafka_cleanshutdown";

    private readonly ConcurrentDictionary<string, PartitionLog> _logs = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Lock _checkpointGate = new();
    private readonly string? _dataDirectory;
    private readonly FileStream? _lockFile;
    private readonly LogContext _context;
    private string _savedRecoveryPoints = "";
    private bool _hasStaleCheckpoints;
    private bool _isDisposed;

    private LogStore(string? dataDirectory, FileStream? lockFile, TimeProvider time, ILogger logger)
    {
        _dataDirectory = dataDirectory;
        _lockFile = lockFile;
        _context = new LogContext(time, logger, PersistLogStart);
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<IPartitionLog> Logs => [.. _logs.Values];

    /// <summary>A store that keeps everything in memory.</summary>
    public static LogStore InMemory(TimeProvider time, ILogger logger) => new(null, null, time, logger);

    /// <summary>
    /// Opens the data folder, creating it when it is missing, and all logs in it. Logs that were not closed cleanly are recovered.
    /// </summary>
    /// <param name="dataDirectory">The folder.</param>
    /// <param name="configFor">The settings of a topic's logs.</param>
    /// <param name="time">The broker's clock.</param>
    /// <param name="logger">Where to say what happened.</param>
    /// <exception cref="IOException">The folder is used by another process, or cannot be read or written.</exception>
    public static LogStore OpenDirectory(string dataDirectory, Func<string, LogConfig> configFor, TimeProvider time, ILogger logger)
    {
        string path = Path.GetFullPath(dataDirectory);
        Directory.CreateDirectory(path);
        var store = new LogStore(path, LockDirectory(path), time, logger);
        bool opened = false;
        try
        {
            store.OpenLogs(path, configFor);
            opened = true;
            return store;
        }
        finally
        {
            if (!opened)
                store.Abandon();
        }
    }

    /// <inheritdoc/>
    public IPartitionLog? Find(string topic, int partition) => _logs.GetValueOrDefault(FolderName(topic, partition));

    /// <inheritdoc/>
    public IPartitionLog Create(string topic, int partition, Guid topicId, LogConfig config)
    {
        string name = FolderName(topic, partition);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_logs.TryGetValue(name, out PartitionLog? existing))
            {
                return existing.TopicId == topicId
                    ? existing
                    : throw new InvalidOperationException($"There is a log {name} of another topic, {existing.TopicId}.");
            }

            // What the checkpoints say of a deleted log of this name must not apply to the new one.
            if (_hasStaleCheckpoints)
                RewriteCheckpoints();
            LogDirectory directory = _dataDirectory is null ? new MemoryLogDirectory() : new DiskLogDirectory(Path.Combine(_dataDirectory, name));
            var log = PartitionLog.Open(topic, partition, topicId, directory, config, _context, new LogOpening(false, 0, 0));
            if (log.TopicId != topicId)
            {
                log.Abandon();
                throw new InvalidOperationException($"The folder of log {name} belongs to another topic, {log.TopicId}.");
            }

            _logs[name] = log;
            return log;
        }
    }

    /// <inheritdoc/>
    public bool Delete(string topic, int partition)
    {
        lock (_gate)
        {
            bool deleted = Remove(topic, partition);
            if (deleted && _hasStaleCheckpoints)
                RewriteCheckpoints();
            return deleted;
        }
    }

    /// <inheritdoc/>
    public int DeleteTopic(string topic, int partitions)
    {
        lock (_gate)
        {
            int deleted = 0;
            for (int partition = 0; partition < partitions; partition++)
                deleted += Remove(topic, partition) ? 1 : 0;

            // Once for all of them: the files name every log there is, and are forced to disk.
            if (deleted > 0 && _hasStaleCheckpoints)
                RewriteCheckpoints();
            return deleted;
        }
    }

    /// <inheritdoc/>
    public void RunMaintenance(bool withRetention)
    {
        foreach (PartitionLog log in _logs.Values)
            log.Maintain(withRetention);
        if (_dataDirectory is null)
            return;
        try
        {
            lock (_checkpointGate)
            {
                if (!_isDisposed)
                    SaveRecoveryPoints();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The older checkpoint still holds: recovery only has more to check.
            Log.LogOperationFailed(_context.Logger, e, _dataDirectory, "checkpoint");
        }
    }

    /// <summary>Whether a log has become worth compacting, or has to be.</summary>
    public bool IsCleaningDue()
    {
        foreach (PartitionLog log in _logs.Values)
        {
            if (log.PlanCleaning()?.IsDue(log.Config.MinCleanableDirtyRatio) == true)
                return true;
        }

        return false;
    }

    /// <summary>
    /// Compacts the logs that are due: first those whose time has run out, then the dirtiest. Returns how many it compacted. Takes as long as it
    /// takes, on the calling thread; the token ends it in the midst of a log.
    /// </summary>
    public int RunCleaning(CleanerOptions options, CancellationToken stopping)
    {
        var due = new List<(PartitionLog Log, CleaningPlan Plan)>();
        foreach (PartitionLog log in _logs.Values)
        {
            if (log.PlanCleaning() is { } plan && plan.IsDue(log.Config.MinCleanableDirtyRatio))
                due.Add((log, plan));
        }

        int count = 0;
        foreach ((PartitionLog log, _) in due.OrderByDescending(entry => entry.Plan.IsOverdue).ThenByDescending(entry => entry.Plan.DirtyRatio))
        {
            if (stopping.IsCancellationRequested)
                break;
            if (!log.Clean(options, stopping))
                continue;
            count++;
            SaveFirstDirtyOffsets();
        }

        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            bool isClean = true;
            foreach (PartitionLog log in _logs.Values)
                isClean &= log.Close();
            try
            {
                if (_dataDirectory is not null)
                    CompleteDirectory(isClean);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Without the marker the next start checks the logs.
                Log.LogOperationFailed(_context.Logger, e, _dataDirectory ?? "", "close");
            }
            finally
            {
                _lockFile?.Dispose();
            }
        }
    }

    /// <summary>Lets go of everything without completing it: what the end of the process does.</summary>
    internal void Abandon()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (PartitionLog log in _logs.Values)
                log.Abandon();
            _lockFile?.Dispose();
        }
    }

    private static FileStream LockDirectory(string path)
    {
        try
        {
            return new FileStream(Path.Combine(path, LockFileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"The data folder {path} cannot be locked; another broker may be using it.", e);
        }
    }

    private void OpenLogs(string path, Func<string, LogConfig> configFor)
    {
        string marker = Path.Combine(path, CleanShutdownFileName);
        bool wasClean = File.Exists(marker);
        Dictionary<string, long> starts = ReadCheckpoint(OffsetCheckpoint.LogStartFileName);
        Dictionary<string, long> recoveryPoints = ReadCheckpoint(OffsetCheckpoint.RecoveryPointFileName);
        Dictionary<string, long> firstDirty = ReadCheckpoint(OffsetCheckpoint.CleanerFileName);

        // From here on a crash is not a clean stop, whatever was before.
        File.Delete(marker);
        foreach (string folder in Directory.EnumerateDirectories(path))
        {
            string name = Path.GetFileName(folder);
            if (name.EndsWith(DiskLogDirectory.DeletedSuffix, StringComparison.Ordinal))
            {
                Directory.Delete(folder, recursive: true);
                continue;
            }

            if (!TryParseFolderName(name, out string topic, out int partition))
                continue;
            var opening = new LogOpening(wasClean, starts.GetValueOrDefault(name), recoveryPoints.GetValueOrDefault(name), firstDirty.GetValueOrDefault(name));
            _logs[name] = PartitionLog.Open(topic, partition, Guid.Empty, new DiskLogDirectory(folder), configFor(topic), _context, opening);
        }

        RewriteCheckpoints();
        Log.LogsOpened(_context.Logger, _logs.Count, wasClean);
    }

    private Dictionary<string, long> ReadCheckpoint(string fileName)
    {
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        string directory = _dataDirectory ?? "";
        if (!OffsetCheckpoint.TryRead(Path.Combine(directory, fileName), offsets))
        {
            Log.CheckpointIgnored(_context.Logger, directory, fileName);
            offsets.Clear();
        }

        return offsets;
    }

    private void PersistLogStart()
    {
        if (_dataDirectory is null)
            return;

        // Written through to the file, not to the disk: it survives the process, and a machine that fails may bring deleted records back.
        lock (_checkpointGate)
            WriteCheckpoint(OffsetCheckpoint.LogStartFileName, log => log.LogStartOffset, flush: false);
    }

    private void SaveFirstDirtyOffsets()
    {
        if (_dataDirectory is null)
            return;
        try
        {
            lock (_checkpointGate)
            {
                if (!_isDisposed)
                    WriteCheckpoint(OffsetCheckpoint.CleanerFileName, log => log.FirstDirtyOffset, flush: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The older one still holds: the next compaction only looks at keys that it knows.
            Log.LogOperationFailed(_context.Logger, e, _dataDirectory, "checkpoint");
        }
    }

    /// <summary>Writes the recovery points if they have moved: a broker that is idle does not keep the disk busy.</summary>
    private void SaveRecoveryPoints()
    {
        string content = OffsetCheckpoint.Format(_logs.Values, log => log.RecoveryPoint);
        if (content == _savedRecoveryPoints)
            return;
        OffsetCheckpoint.Write(Path.Combine(_dataDirectory ?? "", OffsetCheckpoint.RecoveryPointFileName), content, flush: true);
        _savedRecoveryPoints = content;
    }

    private void WriteCheckpoint(string fileName, Func<PartitionLog, long> offsetOf, bool flush) =>
        OffsetCheckpoint.Write(Path.Combine(_dataDirectory ?? "", fileName), OffsetCheckpoint.Format(_logs.Values, offsetOf), flush);

    /// <summary>Writes the checkpoints for the logs that there are.</summary>
    private void RewriteCheckpoints()
    {
        lock (_checkpointGate)
        {
            SaveRecoveryPoints();
            WriteCheckpoint(OffsetCheckpoint.CleanerFileName, log => log.FirstDirtyOffset, flush: true);
            WriteCheckpoint(OffsetCheckpoint.LogStartFileName, log => log.LogStartOffset, flush: true);
            _hasStaleCheckpoints = false;
        }
    }

    private void CompleteDirectory(bool isClean)
    {
        RewriteCheckpoints();
        if (isClean)
            DiskLogDirectory.ReplaceFile(Path.Combine(_dataDirectory ?? "", CleanShutdownFileName), "{\"version\":0,\"brokerEpoch\":-1}"u8);
    }

    /// <summary>Takes a log out and deletes it, with the lock held; what the checkpoints say of it is stale then.</summary>
    private bool Remove(string topic, int partition)
    {
        if (!_logs.TryRemove(FolderName(topic, partition), out PartitionLog? log))
            return false;
        _hasStaleCheckpoints = _dataDirectory is not null;
        log.Delete();
        return true;
    }

    private static string FolderName(string topic, int partition) => string.Create(CultureInfo.InvariantCulture, $"{topic}-{partition}");

    private static bool TryParseFolderName(string name, out string topic, out int partition)
    {
        int dash = name.LastIndexOf('-');
        topic = dash > 0 ? name[..dash] : "";
        partition = -1;
        return dash > 0
            && int.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out partition)
            && FolderName(topic, partition) == name;
    }
}
