using Broker.Lite.Metadata;

namespace Broker.Lite.Security.Quotas;

/// <summary>
/// What clients used of their quotas. Safe from any thread. Without quotas nothing is counted; a meter that counted nothing for all its
/// windows is dropped, and at <see cref="MaxMeters"/> the rest share one, so that inventing client ids costs no memory.
/// </summary>
internal sealed class QuotaMeters(SecurityStore store, BrokerConfig config, TimeProvider time)
{
    public const int MaxMeters = 50_000;

    private readonly int _windows = config.Int(SecurityConfigKeys.QuotaWindowCount);
    private readonly TimeSpan _window = TimeSpan.FromSeconds(config.Int(SecurityConfigKeys.QuotaWindowSeconds));
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Key, QuotaEntity Entity), RateMeter> _meters = [];
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _nextSweep;

    /// <summary>Whether there are no quotas at all.</summary>
    public bool IsEmpty => store.View.Quotas.Entries.IsEmpty;

    /// <summary>The number of meters, for tests.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _meters.Count;
        }
    }

    /// <summary>Counts and says how long the client must be kept waiting.</summary>
    public TimeSpan Record(string key, string user, string clientId, double amount) =>
        store.View.Quotas.TryFind(key, user, clientId, out var limit, out var sharedBy) ? Record(key, sharedBy, amount, limit) : TimeSpan.Zero;

    /// <summary>How long the client must wait for what it has used already; zero if it is within its quota.</summary>
    public TimeSpan Excess(string key, string user, string clientId) => Record(key, user, clientId, 0);

    /// <summary>
    /// Counts time a request kept a thread busy, as percent of one thread; waits of this kind are one window at most (KIP-124).
    /// </summary>
    public TimeSpan RecordTime(string user, string clientId, TimeSpan worked)
    {
        var wait = Record(QuotaTable.RequestPercentage, user, clientId, worked.TotalSeconds * 100);
        return wait < _window ? wait : _window;
    }

    /// <summary>Counts a connection; how long it must be kept waiting.</summary>
    public TimeSpan RecordConnection(string ip) =>
        store.View.Quotas.TryFindIp(ip, out var limit, out var sharedBy) ? Record(QuotaTable.ConnectionCreationRate, sharedBy, 1, limit) : TimeSpan.Zero;

    /// <summary>
    /// The most bytes one answer may have, so that it alone does not exceed what all windows together allow; null without quota.
    /// </summary>
    public int? MaxBytesAtOnce(string key, string user, string clientId) =>
        store.View.Quotas.TryFind(key, user, clientId, out var limit, out _) ? (int)Math.Clamp(limit * (_window * _windows).TotalSeconds, 1, int.MaxValue) : null;

    private TimeSpan Record(string key, QuotaEntity sharedBy, double amount, double limit)
    {
        var now = time.GetElapsedTime(_start);
        lock (_gate)
        {
            if (!_meters.TryGetValue((key, sharedBy), out var meter))
            {
                Sweep(now);
                if (_meters.Count >= MaxMeters)
                    sharedBy = default;
                if (!_meters.TryGetValue((key, sharedBy), out meter))
                    _meters[(key, sharedBy)] = meter = new RateMeter(_windows, _window);
            }

            return meter.Record(now, amount, limit);
        }
    }

    private void Sweep(TimeSpan now)
    {
        if (now < _nextSweep)
            return;
        _nextSweep = now + _window * _windows;
        foreach (var (entity, meter) in _meters)
        {
            if (meter.IsIdle(now))
                _meters.Remove(entity);
        }
    }
}
