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

    private readonly string _root;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private FileStream? _lock;

    public StateDirectory(string stateDirectory, string applicationId, ILogger logger)
    {
        _root = Path.GetFullPath(Path.Combine(stateDirectory, applicationId));
        _logger = logger;
    }

    /// <summary>Folder of a task; made when missing, and the application's folder is locked with the first call.</summary>
    public string ForTask(TaskId task)
    {
        AcquireLock();
        var folder = Path.Combine(_root, task.ToString());
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Folder of a global store; made when missing, and locked like that of a task.</summary>
    public string ForGlobal(string store)
    {
        AcquireLock();
        var folder = GlobalFolder(store);
        Directory.CreateDirectory(folder);
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
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    /// <summary>Deletes a task's state, because it no longer agrees with its changelog.</summary>
    public void Wipe(TaskId task)
    {
        AcquireLock();
        var folder = Path.Combine(_root, task.ToString());
        if (!Directory.Exists(folder)) return;
        Log.StateWiped(_logger, task, folder);
        Directory.Delete(folder, recursive: true);
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

    private string GlobalFolder(string store) => store.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || store is "." or ".." or ""
        ? throw new StateStoreException($"Store name '{store}' cannot be a folder's name.")
        : Path.Combine(_root, "global", store);

    private void AcquireLock()
    {
        lock (_gate)
        {
            if (_lock is not null) return;
            try
            {
                Directory.CreateDirectory(_root);
                _lock = new FileStream(Path.Combine(_root, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new StateStoreException(
                    $"The state folder '{_root}' cannot be used: {failure.Message} If another instance of the application runs on this machine, give each its own StateDirectory (state.dir).", failure);
            }
        }
    }
}
