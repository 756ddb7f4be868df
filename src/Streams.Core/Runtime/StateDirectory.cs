using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// The application's folder of local state: <c>state.dir/application.id/task/</c>, global stores under <c>state.dir/application.id/global/store/</c>. One process uses it at a time.
/// </summary>
/// <remarks>
/// The lock is an open file that the operating system gives up with the process, so a kill leaves nothing to clean. Source: Kafka's <c>StateDirectory</c>.
/// Safe from several threads.
/// </remarks>
internal sealed class StateDirectory : IDisposable
{
    private const string FingerprintFile = "topology.json";
    private const string ProcessFile = "kafka-streams-process-metadata";
    private const long MaxProcessFileBytes = 4096;
    private const long MaxFingerprintBytes = 64 << 20;
    private const string LockFile = ".lock";
    private const string FormatFile = "format";
    private const string Format = "streams state 1";
    private const string PositionsFile = ".positions";
    private const string PositionsHeader = "positions 1";
    private const long MaxPositionsBytes = 1 << 20;

    private readonly string _root;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly HashSet<TaskId> _open = [];
    private FileStream? _lock;
    private bool _saidForeign;

    public StateDirectory(string stateDirectory, string applicationId, ILogger logger)
    {
        _root = Path.GetFullPath(Path.Combine(stateDirectory, applicationId));
        _logger = logger;
    }

    /// <summary>Folder of a task; made when missing, and the application's folder is locked with the first call.</summary>
    public string ForTask(TaskId task)
    {
        AcquireLock();
        var folder = FolderOf(task);
        lock (_gate)
        {
            // Under the lock, so that cleaning up cannot take the folder away in between.
            _open.Add(task);
            Change(folder, "made", static folder => Directory.CreateDirectory(folder));
        }

        return folder;
    }

    /// <summary>The task's stores are closed: its folder may be cleaned up from now on.</summary>
    public void Release(TaskId task)
    {
        lock (_gate) _open.Remove(task);
    }

    /// <summary>
    /// Notes how far the persistent stores of a task are, for the next start to tell the group. Only a hint: a store itself knows better, and a note that cannot be
    /// written is done without.
    /// </summary>
    public void NotePositions(StreamTask task)
    {
        var folder = FolderOf(task.Id);
        var stores = task.Stores.Where(store => store.Store.IsPersistent && store.ChangelogPartition is not null && store.Store.ChangelogOffset is not null).ToList();
        if (stores.Count == 0) return;
        try
        {
            if (!Directory.Exists(folder)) return;
            var text = new StringBuilder(PositionsHeader).Append('\n');
            foreach (var store in stores) text.Append(CultureInfo.InvariantCulture, $"{store.Store.ChangelogOffset} {store.Store.Name}\n");
            var path = Path.Combine(folder, PositionsFile);
            File.WriteAllText(path + ".tmp", text.ToString());
            File.Move(path + ".tmp", path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.PositionsNotNoted(_logger, task.Id, folder, failure);
        }
    }

    /// <summary>
    /// Tasks that have state here and the sums of their offsets as last noted; <see cref="MemberMetadata.UnknownPosition"/> where there is no note. None when another
    /// process has the folder: a task that was given to this one because of it could not be opened.
    /// </summary>
    public IReadOnlyDictionary<TaskId, long> PositionsOnDisk()
    {
        var tasks = TasksOnDisk();
        return tasks.Count > 0 && IsOurs() ? tasks.ToDictionary(task => task, ReadPosition) : new Dictionary<TaskId, long>();
    }

    /// <summary>Deletes the state of tasks that are not open and were not for the given time. What another process has locked is left alone: which tasks are open there is not known.</summary>
    /// <returns>Number of tasks whose state was deleted.</returns>
    public int CleanUp(TimeSpan olderThan, DateTimeOffset now)
    {
        var deleted = 0;
        var tasks = TasksOnDisk();
        if (tasks.Count == 0 || !IsOurs()) return 0;
        foreach (var task in tasks)
        {
            var folder = FolderOf(task);
            lock (_gate)
            {
                if (_open.Contains(task)) continue;
                try
                {
                    var age = now - Directory.EnumerateFileSystemEntries(folder).Select(File.GetLastWriteTimeUtc).Append(Directory.GetLastWriteTimeUtc(folder)).Max();
                    if (age < olderThan) continue;
                    Directory.Delete(folder, recursive: true);
                    deleted++;
                    Log.StateCleaned(_logger, task, folder, age);
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
                {
                    Log.StateNotCleaned(_logger, task, folder, failure);
                }
            }
        }

        return deleted;
    }

    /// <summary>Deletes everything local of the application, of whatever version. Only while nothing of it runs, here or in another process.</summary>
    public void DeleteAll()
    {
        if (!Directory.Exists(_root)) return;
        AcquireLock(anyFormat: true);
        Change(_root, "emptied", static root =>
        {
            foreach (var folder in Directory.EnumerateDirectories(root)) Directory.Delete(folder, recursive: true);
            foreach (var file in Directory.EnumerateFiles(root).Where(file => Path.GetFileName(file) != LockFile)) File.Delete(file);
        });
        Dispose();
    }

    /// <summary>Folder of a global store; made when missing, and locked like that of a task.</summary>
    public string ForGlobal(string store)
    {
        AcquireLock();
        var folder = GlobalFolder(store);
        Change(folder, "made", static folder => Directory.CreateDirectory(folder));
        return folder;
    }

    /// <summary>
    /// Who this process is, across restarts: kept in the application's folder, so that a producer that comes back after a crash is known by its transactional id and
    /// ends what it left open. Another process that has the folder locked, or a folder that cannot be written, makes it a new one.
    /// </summary>
    /// <remarks>Source: KAFKA-10091, Kafka's <c>kafka-streams-process-metadata</c> file, of the same name and content.</remarks>
    public Guid ProcessId()
    {
        var path = Path.Combine(_root, ProcessFile);
        try
        {
            AcquireLock();
            if (File.Exists(path) && new FileInfo(path).Length <= MaxProcessFileBytes)
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("processId", out var id) && id.TryGetGuid(out var known)) return known;
            }

            var made = Guid.NewGuid();
            var draft = path + ".tmp";
            File.WriteAllText(draft, $$"""{"processId":"{{made}}"}""");
            File.Move(draft, path, overwrite: true);
            return made;
        }
        catch (Exception failure) when (failure is StateStoreException or IOException or UnauthorizedAccessException or JsonException)
        {
            Log.ProcessIdUnusable(_logger, path, failure);
            return Guid.NewGuid();
        }
    }

    /// <summary>Deletes a global store, because it no longer agrees with its topic.</summary>
    public void WipeGlobal(string store)
    {
        AcquireLock();
        var folder = GlobalFolder(store);
        if (Directory.Exists(folder)) Change(folder, "deleted", static folder => Directory.Delete(folder, recursive: true));
    }

    /// <summary>Deletes a task's state, because it no longer agrees with its changelog.</summary>
    public void Wipe(TaskId task)
    {
        AcquireLock();
        var folder = FolderOf(task);
        if (!Directory.Exists(folder)) return;
        Log.StateWiped(_logger, task, folder);
        Change(folder, "deleted", static folder => Directory.Delete(folder, recursive: true));
    }

    /// <summary>Tasks that have state here, whoever owns them now.</summary>
    public IReadOnlyCollection<TaskId> TasksOnDisk()
    {
        if (!Directory.Exists(_root)) return [];
        var tasks = new List<TaskId>();
        foreach (var folder in Directory.EnumerateDirectories(_root))
        {
            if (TaskId.TryParse(Path.GetFileName(folder), out var task)) tasks.Add(task);
        }

        return tasks;
    }

    /// <summary>The topology that last ran on this state; <c>null</c> when none did, or what it left cannot be read.</summary>
    public TopologyFingerprint? ReadFingerprint()
    {
        var file = new FileInfo(Path.Combine(_root, FingerprintFile));
        try
        {
            return file.Exists && file.Length <= MaxFingerprintBytes ? TopologyFingerprint.Decode(File.ReadAllBytes(file.FullName)) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.FingerprintUnusable(_logger, file.FullName, failure);
            return null;
        }
    }

    /// <summary>
    /// Keeps the topology for the next start. Does not lock the folder: applications without local state may share it, and the file is replaced as a whole. It is a
    /// help, so that a folder that cannot be written ends nothing here; stores that need it say so themselves.
    /// </summary>
    public void WriteFingerprint(TopologyFingerprint fingerprint)
    {
        var path = Path.Combine(_root, FingerprintFile);
        try
        {
            Directory.CreateDirectory(_root);
            var draft = $"{path}.{Guid.NewGuid():n}.tmp";
            File.WriteAllBytes(draft, fingerprint.Encode());
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.FingerprintUnusable(_logger, path, failure);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _lock?.Dispose();
            _lock = null;
        }
    }

    private string FolderOf(TaskId task) => Path.Combine(_root, task.ToString());

    private long ReadPosition(TaskId task)
    {
        var file = new FileInfo(Path.Combine(FolderOf(task), PositionsFile));
        try
        {
            if (!file.Exists || file.Length > MaxPositionsBytes) return MemberMetadata.UnknownPosition;
            var lines = File.ReadAllLines(file.FullName);
            if (lines.Length == 0 || lines[0] != PositionsHeader) return MemberMetadata.UnknownPosition;
            var sum = 0L;
            foreach (var line in lines.Skip(1))
            {
                var end = line.IndexOf(' ', StringComparison.Ordinal);
                if (end <= 0 || !long.TryParse(line.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) || offset > long.MaxValue - sum)
                    return MemberMetadata.UnknownPosition;
                sum += offset;
            }

            return sum;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.PositionsNotNoted(_logger, task, file.FullName, failure);
            return MemberMetadata.UnknownPosition;
        }
    }

    // A folder of an older or newer kind is not guessed at.
    private void CheckFormat()
    {
        var path = Path.Combine(_root, FormatFile);
        if (!File.Exists(path))
        {
            // As a whole or not at all: on a full disk an empty file would be left, and taken for another format from then on.
            File.WriteAllText(path + ".tmp", Format);
            File.Move(path + ".tmp", path);
            return;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> bytes = stackalloc byte[64];
        var found = Encoding.UTF8.GetString(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]).Trim();
        if (found != Format)
            throw new StateStoreException($"The state folder '{_root}' has format '{found}', and this version reads '{Format}'. Use the version that wrote it, or delete the folder: stores are restored from their changelogs.");
    }

    private string GlobalFolder(string store) => store.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || store is "." or ".." or ""
        ? throw new StateStoreException($"Store name '{store}' cannot be a folder's name.")
        : Path.Combine(_root, "global", store);

    private static void Change(string folder, string what, Action<string> change)
    {
        try
        {
            change(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException($"The folder '{folder}' of local state cannot be {what}: {failure.Message}", failure);
        }
    }

    /// <summary>Whether this process has the folder, or gets it now. That another one has it is said once.</summary>
    private bool IsOurs()
    {
        try
        {
            AcquireLock();
            return true;
        }
        catch (StateStoreException failure)
        {
            if (!Interlocked.Exchange(ref _saidForeign, true)) Log.StateOfAnother(_logger, _root, failure);
            return false;
        }
    }

    private void AcquireLock(bool anyFormat = false)
    {
        lock (_gate)
        {
            if (_lock is not null) return;
            try
            {
                Directory.CreateDirectory(_root);
                _lock = new FileStream(Path.Combine(_root, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                if (!anyFormat) CheckFormat();
            }
            catch (StateStoreException)
            {
                Dispose();
                throw;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Dispose();
                throw new StateStoreException(
                    $"The state folder '{_root}' cannot be used: {failure.Message} If another instance of the application runs on this machine, give each its own StateDirectory (state.dir).", failure);
            }
        }
    }
}
