using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>Brings a client's batch into the codec that the topic stores (<c>compression.type</c>), where that is not the producer's choice.</summary>
/// <remarks>Source: Kafka's <c>LogValidator</c>; as there, the size limits hold for the batch as it is stored, too.</remarks>
internal static class AppendCompression
{
    /// <summary>
    /// Replaces <paramref name="batch"/>, which passed <see cref="AppendValidator"/>, by what is to be stored; the memory it is in then is
    /// the caller's to dispose. Null when it stays as it is, or must not be stored: then the fault says why.
    /// </summary>
    public static PooledBuffer? Apply(ref Span<byte> batch, AppendOrigin origin, LogConfig config, out AppendFault fault)
    {
        fault = default;
        if (config.Compression is not { } codec || origin != AppendOrigin.Client || new RecordBatchHeader(batch).Compression == codec)
            return null;
        try
        {
            var (owner, stored) = RecordBatchPatch.Recompress(batch, codec, config.CompressionLevel, config.MaxDecompressedBytes);
            if (stored.Length <= config.MaxMessageBytes && stored.Length <= config.SegmentBytes)
            {
                batch = stored.Span;
                return owner;
            }

            fault = AppendFault.Of(
                stored.Length > config.MaxMessageBytes ? ErrorCode.MessageTooLarge : ErrorCode.RecordListTooLarge,
                $"The record batch has {stored.Length} bytes as it would be stored; {Math.Min(config.MaxMessageBytes, config.SegmentBytes)} are allowed.");
            owner.Dispose();
            return null;
        }
        catch (ProtocolException e)
        {
            fault = AppendFault.Of(ErrorCode.InvalidRecord, e.Message);
            return null;
        }
        catch (CompressionUnavailableException e)
        {
            fault = AppendFault.Of(ErrorCode.UnsupportedCompressionType, e.Message);
            return null;
        }
    }
}
