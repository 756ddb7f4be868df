using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Streams.Core;

/// <summary>The consumer protocol's subscription and assignment (version 0), and the primitives of our own user data in them.</summary>
internal static class WireFormat
{
    public static void WriteInt16(IBufferWriter<byte> output, short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(output.GetSpan(sizeof(short)), value);
        output.Advance(sizeof(short));
    }

    public static void WriteInt32(IBufferWriter<byte> output, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), value);
        output.Advance(sizeof(int));
    }

    public static void WriteString(IBufferWriter<byte> output, string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        WriteInt16(output, checked((short)size));
        output.Advance(Encoding.UTF8.GetBytes(value, output.GetSpan(size)));
    }

    public static void WriteInt64(IBufferWriter<byte> output, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    public static void WriteByte(IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public static void WriteTasks(IBufferWriter<byte> output, IReadOnlyList<TaskId> tasks)
    {
        WriteInt32(output, tasks.Count);
        foreach (var task in tasks)
        {
            WriteInt32(output, task.Subtopology);
            WriteInt32(output, task.Partition);
        }
    }

    public static ReadOnlyMemory<byte> WriteSubscription(IReadOnlyCollection<string> topics, ReadOnlySpan<byte> userData)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteInt16(output, 0);
        WriteInt32(output, topics.Count);
        foreach (var topic in topics) WriteString(output, topic);
        WriteInt32(output, userData.Length);
        output.Write(userData);
        return output.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> WriteAssignment(IReadOnlyCollection<TopicPartition> partitions, ReadOnlySpan<byte> userData)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteInt16(output, 0);
        var byTopic = partitions.GroupBy(partition => partition.Topic).ToList();
        WriteInt32(output, byTopic.Count);
        foreach (var topic in byTopic)
        {
            WriteString(output, topic.Key);
            WriteInt32(output, topic.Count());
            foreach (var partition in topic) WriteInt32(output, partition.Partition);
        }

        WriteInt32(output, userData.Length);
        output.Write(userData);
        return output.WrittenMemory;
    }

    public static ReadOnlySpan<byte> UserDataOfSubscription(ReadOnlySpan<byte> data)
    {
        var reader = new Reader(data);
        reader.Int16();
        var topics = reader.Count(sizeof(short));
        for (var index = 0; index < topics; index++) reader.String();
        return reader.Bytes(reader.Count(1));
    }

    public static ReadOnlySpan<byte> UserDataOfAssignment(ReadOnlySpan<byte> data)
    {
        var reader = new Reader(data);
        reader.Int16();
        var topics = reader.Count(sizeof(short) + sizeof(int));
        for (var index = 0; index < topics; index++)
        {
            reader.String();
            var partitions = reader.Count(sizeof(int));
            reader.Bytes(partitions * sizeof(int));
        }

        return reader.Bytes(reader.Count(1));
    }

    public static SerializationException Malformed(string what) => new(
        $"A group member's metadata is malformed ({what}). Is a program of another kind or version in the same consumer group? Each application needs its own application.id.");

    /// <summary>Reads with every length checked before it is used.</summary>
    public ref struct Reader(ReadOnlySpan<byte> data)
    {
        private ReadOnlySpan<byte> _data = data;

        public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Bytes(sizeof(short)));

        public byte Byte() => Bytes(1)[0];

        public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Bytes(sizeof(long)));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Bytes(sizeof(int)));

        public string String()
        {
            var length = Int16();
            return length < 0 ? throw Malformed("a negative length") : Encoding.UTF8.GetString(Bytes(length));
        }

        public int Count(int minimumElementSize)
        {
            var count = Int32();
            return count < 0 || (long)count * minimumElementSize > _data.Length ? throw Malformed($"a count of {count}") : count;
        }

        public TaskId[] Tasks()
        {
            var tasks = new TaskId[Count(2 * sizeof(int))];
            for (var index = 0; index < tasks.Length; index++) tasks[index] = Task();
            return tasks;
        }

        public TaskId Task()
        {
            var task = new TaskId(Int32(), Int32());
            return task.Subtopology < 0 || task.Partition < 0 ? throw Malformed($"a task '{task}'") : task;
        }

        public ReadOnlySpan<byte> Bytes(int length)
        {
            if (length > _data.Length) throw Malformed($"{length} bytes announced, {_data.Length} left");
            var bytes = _data[..length];
            _data = _data[length..];
            return bytes;
        }

        public void Version(short newest)
        {
            var version = Int16();
            if (version < 1 || version > newest) throw Malformed($"version {version}, this build reads 1 to {newest}");
        }
    }
}
