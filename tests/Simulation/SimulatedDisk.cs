using Streams.Core;
using Streams.State.Bytes;

namespace Simulation;

/// <summary>What a machine's stores have on disk: whole batches, of which a kill leaves all or nothing.</summary>
internal sealed class SimulatedDisk
{
    private readonly Dictionary<string, Content> _stores = [];

    /// <summary>Opens a store for a process. A file in the task's folder stands for the store's, so that deleting the folder deletes the store.</summary>
    public IByteEngine Open(Incarnation owner, IStateStoreContext context, string name)
    {
        var key = $"{context.TaskId}/{name}";
        var file = Path.Combine(context.TaskDirectory, name + ".simulated");
        if (!File.Exists(file) || !_stores.TryGetValue(key, out var content))
        {
            if (owner.IsDead) content = new Content();
            else _stores[key] = content = new Content();
            File.WriteAllText(file, "");
        }

        return new Engine(owner, content);
    }

    private sealed class Content
    {
        public SortedList<byte[], byte[]> Entries { get; set; } = new(Bytewise.Instance);

        public long? Offset { get; set; }

        public long StreamTime { get; set; } = -1;
    }

    private sealed class Bytewise : IComparer<byte[]>
    {
        public static Bytewise Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }

    private sealed class Engine(Incarnation owner, Content content) : IByteEngine
    {
        private readonly List<Action<SortedList<byte[], byte[]>>> _batch = [];

        public bool IsEmpty => content.Entries.Count == 0;

        public long? Offset => content.Offset;

        public long StreamTime => content.StreamTime;

        public bool TryGet(ReadOnlySpan<byte> key, SerdeBuffer value)
        {
            if (!content.Entries.TryGetValue(key.ToArray(), out var found)) return false;
            found.CopyTo(value.GetSpan(found.Length));
            value.Advance(found.Length);
            return true;
        }

        public IByteEngineIterator Iterate() => new Iterator(content.Entries);

        public void BatchPut(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            var (keyBytes, valueBytes) = (key.ToArray(), value.ToArray());
            _batch.Add(entries => entries[keyBytes] = valueBytes);
        }

        public void BatchDelete(ReadOnlySpan<byte> key)
        {
            var keyBytes = key.ToArray();
            _batch.Add(entries => entries.Remove(keyBytes));
        }

        public void BatchDeleteRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            var (first, end) = (from.ToArray(), to.ToArray());
            _batch.Add(entries =>
            {
                foreach (var key in entries.Keys.Where(key => Bytewise.Instance.Compare(key, first) >= 0 && Bytewise.Instance.Compare(key, end) < 0).ToList()) entries.Remove(key);
            });
        }

        public void BatchWrite(long? offset, long streamTime)
        {
            var batch = _batch.ToList();
            _batch.Clear();

            // What a dead process does while its real threads are got rid of has never happened.
            if (owner.IsDead) return;
            var entries = new SortedList<byte[], byte[]>(content.Entries, Bytewise.Instance);
            foreach (var write in batch) write(entries);
            content.Entries = entries;
            content.Offset = offset;
            content.StreamTime = Math.Max(content.StreamTime, streamTime);
        }

        public void Persist()
        {
        }

        public long EstimateCount() => content.Entries.Count;

        public void Dispose()
        {
        }
    }

    private sealed class Iterator(SortedList<byte[], byte[]> entries) : IByteEngineIterator
    {
        private int _place = -1;

        public bool IsValid => _place >= 0 && _place < entries.Count;

        public ReadOnlySpan<byte> Key => entries.Keys[_place];

        public ReadOnlySpan<byte> Value => entries.Values[_place];

        public void SeekToFirst() => _place = 0;

        public void SeekToLast() => _place = entries.Count - 1;

        public void Seek(ReadOnlySpan<byte> key)
        {
            var wanted = key.ToArray();
            _place = 0;
            while (_place < entries.Count && Bytewise.Instance.Compare(entries.Keys[_place], wanted) < 0) _place++;
        }

        public void SeekForPrevious(ReadOnlySpan<byte> key)
        {
            var wanted = key.ToArray();
            _place = entries.Count - 1;
            while (_place >= 0 && Bytewise.Instance.Compare(entries.Keys[_place], wanted) > 0) _place--;
        }

        public void Next() => _place++;

        public void Previous() => _place--;

        public void Dispose()
        {
        }
    }
}
