namespace Broker.Lite.Logs;

/// <summary>The folder of one partition: its files by name. Failures as in <see cref="LogFile"/>.</summary>
internal abstract class LogDirectory
{
    /// <summary>Opens a file, creating it when it is missing.</summary>
    public abstract LogFile Open(string name);

    /// <summary>The names of the files that are there.</summary>
    public abstract IReadOnlyList<string> List();

    /// <summary>Removes a file; without effect when it is missing.</summary>
    public abstract void Delete(string name);

    /// <summary>Gives a file another name, in place of what has that name; its open handles stay good.</summary>
    public abstract void Rename(string name, string newName);

    /// <summary>Forces names to disk: the effect of <see cref="Rename"/> and <see cref="Delete"/> so far.</summary>
    public abstract void Sync();

    /// <summary>Whether a removed file takes part in something outside, such as a backup that is copying it, and so is kept for a while.</summary>
    public abstract bool IsOnDisk { get; }

    /// <summary>The content of a small file; null when it is missing or larger than <paramref name="maxBytes"/>.</summary>
    public abstract byte[]? TryReadAll(string name, int maxBytes);

    /// <summary>
    /// Replaces a small file so that after the end of the process it has either its old content or all of the new. It is not forced to disk: what
    /// is kept this way can be made again from the log.
    /// </summary>
    public abstract void Replace(string name, ReadOnlySpan<byte> content);

    /// <summary>Takes the folder out of the way of a new one of the same name, so that it is not a log any more, and then removes it.</summary>
    public abstract void Remove();
}
