using System.Diagnostics.CodeAnalysis;
using Streams.Core;
using Log = Streams.Reactive.Diagnostics.Log;

namespace Streams.Reactive.Sources;

/// <summary>Writes a source to its topic as long as an application runs. In the test driver, which has no cluster, it does nothing: tests pipe records themselves.</summary>
internal sealed class SourceCompanion<K, V>(RecordSource<K, V> source, string topic, ISerializer<K> keySerializer, ISerializer<V> valueSerializer) : ITopologyCompanion
{
    public ICompanionRun Start(CompanionSettings application) => new Run(this, application);

    public void NeverStarts()
    {
    }

    [SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Disposed at the end, which comes once.")]
    private sealed class Run : ICompanionRun
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _writing;

        public Run(SourceCompanion<K, V> companion, CompanionSettings application) =>
            _writing = application.Cluster is null ? Task.CompletedTask : Task.Run(() => WriteAsync(companion, application, _stopping.Token), CancellationToken.None);

        public async Task EndAsync(Exception? failure)
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
            await _writing.ConfigureAwait(false);
            _stopping.Dispose();
        }

        private static async Task WriteAsync(SourceCompanion<K, V> companion, CompanionSettings application, CancellationToken stopping)
        {
            try
            {
                await companion.Source.WriteAsync(application, companion.Topic, companion.KeySerializer, companion.ValueSerializer, stopping).ConfigureAwait(false);
                Log.SourceEnded(application.Logger, companion.Topic, companion.Source.WrittenRecords);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The application closes.
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Log.SourceFailed(application.Logger, companion.Topic, companion.Source.WrittenRecords, failure);
                application.Fail(failure);
            }
        }
    }

    private RecordSource<K, V> Source { get; } = source;

    private string Topic { get; } = topic;

    private ISerializer<K> KeySerializer { get; } = keySerializer;

    private ISerializer<V> ValueSerializer { get; } = valueSerializer;
}
