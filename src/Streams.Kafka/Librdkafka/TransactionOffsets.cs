using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using Streams.Core;

namespace Streams.Kafka.Librdkafka;

/// <summary>
/// Sends consumed offsets to a transaction with the generation and member id of our own group membership and with the offsets' metadata text. Confluent.Kafka's public call can do
/// neither: it takes the membership from one of its own consumers, and its offsets carry no text.
/// </summary>
/// <remarks>
/// Calls the same functions of librdkafka that Confluent.Kafka calls, through Confluent.Kafka's own bindings, so that it is the same native library whichever it has loaded. The bindings
/// are internal; <see cref="UnsafeAccessorAttribute"/> reaches them in a way the trimmer understands, and both supported versions are tested for them. Source: librdkafka's
/// <c>rd_kafka_send_offsets_to_transaction</c> and <c>rd_kafka_consumer_group_metadata_write</c>.
/// </remarks>
internal static class TransactionOffsets
{
    private const string LibrdkafkaType = "Confluent.Kafka.Impl.Librdkafka, Confluent.Kafka";
    private const string SafeHandleType = "Confluent.Kafka.Impl.SafeKafkaHandle, Confluent.Kafka";

    /// <summary>
    /// librdkafka's serialised form of a membership: <c>CGMDv2:</c>, generation (int32 in the machine's order), group, member, a byte that is 1 when there is no instance id, and the instance
    /// id if there is one; names end with a zero byte.
    /// </summary>
    /// <exception cref="ArgumentException">A name has a zero byte in it, which would end it early.</exception>
    public static byte[] Serialize(GroupMembership membership)
    {
        if (membership.GroupId.Contains('\0', StringComparison.Ordinal)
            || membership.MemberId.Contains('\0', StringComparison.Ordinal)
            || membership.GroupInstanceId?.Contains('\0', StringComparison.Ordinal) == true)
        {
            throw new ArgumentException("A group, member or instance id has a zero byte in it.", nameof(membership));
        }

        var magic = "CGMDv2:"u8;
        var instance = membership.GroupInstanceId is { } id ? $"\0{id}\0" : "\u0001";
        var text = Encoding.UTF8.GetBytes($"{membership.GroupId}\0{membership.MemberId}\0{instance}");
        var bytes = new byte[magic.Length + sizeof(int) + text.Length];
        magic.CopyTo(bytes);
        var generation = bytes.AsSpan(magic.Length, sizeof(int));
        if (BitConverter.IsLittleEndian) BinaryPrimitives.WriteInt32LittleEndian(generation, membership.GenerationId);
        else BinaryPrimitives.WriteInt32BigEndian(generation, membership.GenerationId);
        text.CopyTo(bytes, magic.Length + sizeof(int));
        return bytes;
    }

    /// <summary>Sends the offsets; waits up to <paramref name="timeout"/>, after which the call may be repeated.</summary>
    /// <exception cref="KafkaRetriableException">Repeat the call.</exception>
    /// <exception cref="KafkaTxnRequiresAbortException">The transaction can only be aborted.</exception>
    /// <exception cref="KafkaException">The producer is of no use any more.</exception>
    public static void Send(Handle producer, IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, TimeSpan timeout)
    {
        using var lease = new HandleLease((SafeHandle)LibrdkafkaHandle(producer));
        var serialized = Serialize(membership);
        Throw(ReadMetadata(null, out var metadata, serialized, serialized.Length));
        try
        {
            using var list = new OffsetList(offsets);
            Throw(SendOffsets(null, lease.Pointer, list.Pointer, metadata, (nint)timeout.TotalMilliseconds));
        }
        finally
        {
            DestroyMetadata(null, metadata);
        }
    }

    private static void Throw(nint nativeError)
    {
        if (nativeError == 0) return;
        var error = new Error(ErrorCodeOf(null, nativeError), ErrorTextOf(null, nativeError), IsFatal(null, nativeError));
        var mustAbort = RequiresAbort(null, nativeError);
        var retriable = IsRetriable(null, nativeError);
        DestroyError(null, nativeError);
        throw mustAbort ? new KafkaTxnRequiresAbortException(error) : retriable ? new KafkaRetriableException(error) : new KafkaException(error);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_LibrdkafkaHandle")]
    [return: UnsafeAccessorType(SafeHandleType)]
    private static extern object LibrdkafkaHandle(Handle handle);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "consumer_group_metadata_read")]
    private static extern nint ReadMetadata([UnsafeAccessorType(LibrdkafkaType)] object? type, out nint metadata, byte[] bytes, nint length);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "consumer_group_metadata_destroy")]
    private static extern void DestroyMetadata([UnsafeAccessorType(LibrdkafkaType)] object? type, nint metadata);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "send_offsets_to_transaction")]
    private static extern nint SendOffsets([UnsafeAccessorType(LibrdkafkaType)] object? type, nint producer, nint offsets, nint metadata, nint timeoutMs);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "topic_partition_list_new")]
    private static extern nint NewList([UnsafeAccessorType(LibrdkafkaType)] object? type, nint size);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "topic_partition_list_add")]
    private static extern nint AddToList([UnsafeAccessorType(LibrdkafkaType)] object? type, nint list, string topic, int partition);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "topic_partition_list_destroy")]
    private static extern void DestroyList([UnsafeAccessorType(LibrdkafkaType)] object? type, nint list);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_code")]
    private static extern ErrorCode ErrorCodeOf([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_string")]
    private static extern string ErrorTextOf([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_is_fatal")]
    private static extern bool IsFatal([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_is_retriable")]
    private static extern bool IsRetriable([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_txn_requires_abort")]
    private static extern bool RequiresAbort([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "error_destroy")]
    private static extern void DestroyError([UnsafeAccessorType(LibrdkafkaType)] object? type, nint error);

    /// <summary>librdkafka's <c>rd_kafka_topic_partition_t</c>, part of its stable C interface.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ListElement
    {
        public nint Topic;
        public int Partition;
        public long Offset;
        public nint Metadata;
        public nuint MetadataSize;
        public nint Opaque;
        public int Error;
        public nint Private;
    }

    /// <summary>Keeps the native client alive during a call.</summary>
    private readonly ref struct HandleLease
    {
        private readonly SafeHandle _handle;

        public HandleLease(SafeHandle handle)
        {
            var added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
        }

        public nint Pointer => _handle.DangerousGetHandle();

        public void Dispose() => _handle.DangerousRelease();
    }

    /// <summary>A native list of offsets with their texts.</summary>
    private readonly unsafe ref struct OffsetList
    {
        private readonly List<nint> _elements;

        public OffsetList(IReadOnlyCollection<OffsetCommit> offsets)
        {
            Pointer = NewList(null, offsets.Count);
            _elements = new List<nint>(offsets.Count);
            foreach (var commit in offsets)
            {
                // The list has room for all of them from the start, so elements do not move while others are added.
                var element = (ListElement*)AddToList(null, Pointer, commit.Partition.Topic, commit.Partition.Partition);
                element->Offset = commit.Offset;
                if (string.IsNullOrEmpty(commit.Metadata)) continue;
                var text = Encoding.UTF8.GetBytes(commit.Metadata);
                var native = NativeMemory.Alloc((nuint)text.Length);
                text.CopyTo(new Span<byte>(native, text.Length));
                element->Metadata = (nint)native;
                element->MetadataSize = (nuint)text.Length;
                _elements.Add((nint)element);
            }
        }

        public nint Pointer { get; }

        // librdkafka would free the texts with the allocator of its own C library, which need not be ours: they are taken back first.
        public void Dispose()
        {
            foreach (ListElement* element in _elements)
            {
                NativeMemory.Free((void*)element->Metadata);
                element->Metadata = 0;
                element->MetadataSize = 0;
            }

            DestroyList(null, Pointer);
        }
    }
}
