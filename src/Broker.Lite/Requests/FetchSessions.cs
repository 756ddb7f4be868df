using System.Buffers.Binary;

namespace Broker.Lite.Requests;

/// <summary>
/// The fetch sessions of all clients, a bounded number of them. Thread-safe. When it is full, a new session takes the place of the one that
/// was not used for the longest time if that was long enough; otherwise the client goes on without, which costs it longer requests.
/// </summary>
internal sealed class FetchSessions(int capacity, TimeProvider time, Func<Guid> newId)
{
    // Kafka: min.incremental.fetch.session.eviction.ms, a constant there, too.
    private static readonly TimeSpan _evictable = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<int, FetchSession> _sessions = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

    public FetchSession? Find(int id)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(id, out var session))
                return null;
            session.LastUsed = time.GetTimestamp();
            return session;
        }
    }

    public void Remove(int id)
    {
        lock (_gate)
            _sessions.Remove(id);
    }

    /// <summary>Opens a session, or gives null when there is no room.</summary>
    public FetchSession? TryOpen(bool usesTopicIds)
    {
        lock (_gate)
        {
            if (_sessions.Count >= capacity)
            {
                if (_sessions.Values.MinBy(session => session.LastUsed) is not { } oldest || time.GetElapsedTime(oldest.LastUsed) < _evictable)
                    return null;
                _sessions.Remove(oldest.Id);
            }

            var session = new FetchSession(NewId(), usesTopicIds) { LastUsed = time.GetTimestamp() };
            _sessions.Add(session.Id, session);
            return session;
        }
    }

    // Not to be guessed: whoever knows the id can spoil the session for its owner.
    private int NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        while (true)
        {
            newId().TryWriteBytes(bytes);
            var id = BinaryPrimitives.ReadInt32BigEndian(bytes) & int.MaxValue;
            if (id != 0 && !_sessions.ContainsKey(id))
                return id;
        }
    }
}
