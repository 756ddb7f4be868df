namespace Streams.Core;

/// <summary>What a thread measures of itself, once per turn of its loop. Written by the thread, read by any.</summary>
/// <remarks>Source: Kafka's <c>ThreadMetrics</c>.</remarks>
internal sealed class ThreadMetrics(string threadName, TimeProvider time)
{
    private readonly Sensor _pollRecords = new();
    private readonly Sensor _processRecords = new();
    private long _blockedTimeNs;
    private int _isAlive;
    private int _isRunning;

    public KeyValuePair<string, object?>[] Tags { get; } = [new("thread-id", threadName)];

    public Sensor Poll { get; } = new();

    public Sensor Process { get; } = new();

    public Sensor Punctuate { get; } = new();

    public Sensor Commit { get; } = new();

    public Sensor TaskCreated { get; } = new();

    public Sensor TaskClosed { get; } = new();

    public Sensor PollRecords => _pollRecords;

    public Sensor ProcessRecords => _processRecords;

    public long StartTimeMs { get; private set; }

    /// <summary>Time that the thread has waited for acknowledgements and commits, nanoseconds.</summary>
    public long BlockedTimeNs => Volatile.Read(ref _blockedTimeNs);

    /// <summary>0 not started or ended, 1 between assignments, 2 running.</summary>
    public int State => Volatile.Read(ref _isAlive) == 0 ? 0 : 1 + Volatile.Read(ref _isRunning);

    public void Started()
    {
        StartTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        Volatile.Write(ref _isAlive, 1);
    }

    public void Ended() => Volatile.Write(ref _isAlive, 0);

    /// <summary>A point in time to measure from.</summary>
    public long Mark() => time.GetTimestamp();

    public void BeginTurn(bool isRunning)
    {
        Volatile.Write(ref _isRunning, isRunning ? 1 : 0);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        Poll.Roll(now);
        Process.Roll(now);
        Punctuate.Roll(now);
        Commit.Roll(now);
        TaskCreated.Roll(now);
        TaskClosed.Roll(now);
        _pollRecords.Roll(now);
        _processRecords.Roll(now);
    }

    public void Polled(long mark, int records)
    {
        Poll.Record(Since(mark));
        _pollRecords.Record(records);
    }

    public void Processed(long mark, int records)
    {
        Process.RecordMany(records, Since(mark));
        _processRecords.Record(records);
    }

    public void Punctuated(long mark) => Punctuate.Record(Since(mark));

    public void Committed(long mark) => Commit.Record(Since(mark));

    public void Blocked(long mark) => Volatile.Write(ref _blockedTimeNs, _blockedTimeNs + (long)time.GetElapsedTime(mark).TotalNanoseconds);

    private double Since(long mark) => time.GetElapsedTime(mark).TotalMilliseconds;
}
