using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>
/// One connection to one broker: versions negotiated, requests pipelined, answers matched in order. It lives until something goes wrong on it;
/// the owner then opens another.
/// </summary>
/// <remarks>
/// <para>Safe from several threads. A broker answers a connection's requests in their order, so the answer that arrives must be the oldest
/// request's; anything else, a length that is not credible, or bytes that do not parse end the connection, and every waiting request fails with
/// <see cref="ConnectionLostException"/>.</para>
/// <para>A request that is cancelled keeps its place: its answer is read and dropped. A request that times out ends the connection, because
/// everything behind it would wait for the same answer.</para>
/// </remarks>
internal sealed class BrokerConnection : IAsyncDisposable
{
    private const int LengthPrefixBytes = 4;
    private const int CorrelationIdBytes = 4;

    // A longer request goes out piece by piece, as its records lie in memory; below this a copy costs less than another call of the system.
    private const int MaxGatheredBytes = 1 << 16;
    private const double RenewAfterShare = 0.85;
    private const string SoftwareName = "kafka-streams-dotnet";

    private readonly WireSettings _settings;
    private readonly TimeProvider _time;
    private readonly Stream _stream;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SemaphoreSlim _inFlight;
    private readonly Lock _lock = new();
    private readonly Queue<PendingAnswer> _pending = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Dictionary<ApiKey, VersionRange> _versions = [];
    private Task _reading = Task.CompletedTask;
    private Exception? _failure;
    private int _lastCorrelationId;
    private long _renewAt = long.MaxValue;
    private bool _retired;

    private BrokerConnection(BrokerAddress address, WireSettings settings, TimeProvider time, Stream stream)
    {
        Address = address;
        _settings = settings;
        _time = time;
        _stream = stream;
        _inFlight = new SemaphoreSlim(settings.MaxInFlight, settings.MaxInFlight);
    }

    /// <summary>Where to.</summary>
    public BrokerAddress Address { get; }

    /// <summary>Whether requests can still be sent on it.</summary>
    public bool IsOpen => Volatile.Read(ref _failure) is null;

    /// <summary>Whether another connection should take over: the broker ends this one soon, because what it was authenticated with ends (KIP-368).</summary>
    public bool IsDue => _time.GetTimestamp() >= _renewAt;

    /// <summary>Connects, secures and authenticates as the settings say, and asks for the broker's versions.</summary>
    /// <exception cref="ConnectionLostException">It cannot be reached, or did not answer in time.</exception>
    /// <exception cref="ClusterException">It refused the credentials.</exception>
    public static async Task<BrokerConnection> OpenAsync(BrokerAddress address, WireSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(settings.ConnectTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        BrokerConnection? connection = null;
        try
        {
            var stream = await BrokerTransport.ConnectAsync(address, settings.Security, settings.ReadsOnOwnThread, linked.Token).ConfigureAwait(false);
            connection = new BrokerConnection(address, settings, time, stream);
            connection._reading = settings.ReadsOnOwnThread ? connection.ReadAnswersOnOwnThread() : connection.ReadAnswersAsync();
            await connection.NegotiateVersionsAsync(linked.Token).ConfigureAwait(false);
            var asked = time.GetTimestamp();
            if (await SaslAuthenticator.AuthenticateAsync(connection, settings.Security, linked.Token).ConfigureAwait(false) is { } lifetime)
                connection._renewAt = asked + (long)(lifetime.TotalSeconds * RenewAfterShare * time.TimestampFrequency);
            var opened = connection;
            connection = null;
            return opened;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ConnectionLostException($"{address} did not accept a connection within {settings.ConnectTimeout.TotalSeconds:0.#} s");
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new ConnectionLostException($"{address} cannot be reached: {e.Message}", e);
        }
        finally
        {
            if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sends a request in the highest version both sides have and waits for the answer.</summary>
    /// <param name="build">Makes the request for the version chosen, since some fields change their meaning with it.</param>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <param name="cancellationToken">Ends the waiting, not the request.</param>
    /// <exception cref="ConnectionLostException">The connection broke or the answer did not come in time.</exception>
    /// <exception cref="ClusterException">The broker has no version of the call that this client has.</exception>
    public Task<TResponse> SendAsync<TResponse>(Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new() =>
        SendAsync(TResponse.Versions, build, timeout, cancellationToken);

    /// <summary>As the other, for a caller who cannot use every version that this library has.</summary>
    public Task<TResponse> SendAsync<TResponse>(VersionRange versions, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var version = ChooseVersion<TResponse>(versions);
        var request = build(version);
        return ExchangeAsync(new PendingAnswer<TResponse>(request, version, _settings.ReadsOnOwnThread), request, version, timeout, cancellationToken);
    }

    /// <summary>As <c>SendAsync</c>, for answers that bring much: their bytes lie in pooled memory, until whoever asked disposes them.</summary>
    /// <param name="versions">Versions that the caller can use, all of them ones that this library has.</param>
    /// <param name="build">Makes the request for the version chosen.</param>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <param name="cancellationToken">Ends the waiting, not the request.</param>
    /// <exception cref="ConnectionLostException">The connection broke or the answer did not come in time.</exception>
    /// <exception cref="ClusterException">The broker has none of <paramref name="versions"/>.</exception>
    public Task<PooledAnswer<TResponse>> SendForPooledAsync<TResponse>(
        VersionRange versions, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var version = ChooseVersion<TResponse>(versions);
        var request = build(version);
        return ExchangeAsync(new PendingPooledAnswer<TResponse>(request, version, _settings.ReadsOnOwnThread), request, version, timeout, cancellationToken);
    }

    /// <summary>Closes the connection once everything asked on it is answered; nobody may ask anything more on it.</summary>
    public Task RetireAsync()
    {
        lock (_lock)
        {
            _retired = true;
            if (_pending.Count > 0) return Task.CompletedTask;
        }

        return FailAsync(Retired());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await FailAsync(new ConnectionLostException($"The connection to {Address} was closed")).ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    private async Task NegotiateVersionsAsync(CancellationToken cancellationToken)
    {
        var request = new ApiVersionsRequest { ClientSoftwareName = SoftwareName, ClientSoftwareVersion = "0.1.0" };
        const short PreferredVersion = 3;
        var answer = await ExchangeAsync(new PendingAnswer<ApiVersionsResponse>(request, PreferredVersion, _settings.ReadsOnOwnThread), request, PreferredVersion, _settings.ConnectTimeout, cancellationToken).ConfigureAwait(false);

        // A broker older than version 3 says so, in a body that PendingAnswer knows; then a plain version 0 is asked.
        if (answer.ErrorCode == ErrorCode.UnsupportedVersion)
        {
            var plain = new ApiVersionsRequest();
            answer = await ExchangeAsync(new PendingAnswer<ApiVersionsResponse>(plain, 0, _settings.ReadsOnOwnThread), plain, 0, _settings.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        }

        WireErrors.Check(answer.ErrorCode, $"Asking {Address} for its versions");
        foreach (var api in answer.ApiKeys) _versions[api.ApiKey] = new VersionRange(api.MinVersion, api.MaxVersion);
    }

    private short ChooseVersion<TResponse>(VersionRange versions)
        where TResponse : IApiSchema =>
        _versions.TryGetValue(TResponse.ApiKey, out var served) && versions.TryHighestCommon(served, out var version)
            ? version
            : throw new ClusterException(
                (short)ErrorCode.UnsupportedVersion,
                ErrorCode.UnsupportedVersion.ProtocolName(),
                $"{Address} has no version of {TResponse.ApiKey} that this client speaks ({versions}).");

    private async Task<TAnswer> ExchangeAsync<TAnswer>(PendingAnswerOf<TAnswer> answer, IApiMessage request, short version, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var expiry = new CancellationTokenSource(timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellationToken);
        try
        {
            await _inFlight.WaitAsync(linked.Token).ConfigureAwait(false);
            await WriteAsync(request, version, answer, linked.Token).WaitAsync(linked.Token).ConfigureAwait(false);
            using var cancelling = linked.Token.UnsafeRegister(static (state, token) => ((PendingAnswerOf<TAnswer>)state!).Cancel(token), answer);
            return await answer.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var failure = new ConnectionLostException($"{Address} did not answer {request.Key} within {timeout.TotalSeconds:0.#} s");
            await FailAsync(failure).ConfigureAwait(false);
            throw failure;
        }
    }

    private async Task WriteAsync(IApiMessage request, short version, PendingAnswer answer, CancellationToken cancellationToken)
    {
        var queued = false;
        try
        {
            await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                answer.CorrelationId = ++_lastCorrelationId;
                using var frame = MessageFrames.EncodeRequest(request, version, answer.CorrelationId, _settings.ClientId);
                lock (_lock)
                {
                    if (_failure is not null) throw new ConnectionLostException(_failure.Message, _failure);
                    _pending.Enqueue(answer);
                    queued = true;
                }

                // Not the caller's token: half a frame would make the rest of the connection unreadable. A peer that stops reading is ended by
                // the timeout of this or an earlier request.
                await WriteAsync(frame).ConfigureAwait(false);
            }
            finally
            {
                _writing.Release();
            }
        }
        catch (Exception e) when (queued && e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            var failure = new ConnectionLostException($"Writing to {Address} failed: {e.Message}", e);
            await FailAsync(failure).ConfigureAwait(false);
            throw failure;
        }
        finally
        {
            // Whoever takes an answer off the queue gives its place back; one that never got on it gives it back here.
            if (!queued) _inFlight.Release();
        }
    }

    private async Task WriteAsync(Frame frame)
    {
        if (frame.Length > MaxGatheredBytes)
        {
            foreach (var segment in frame.Segments) await _stream.WriteAsync(segment, _closed.Token).ConfigureAwait(false);
            return;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(frame.Length);
        try
        {
            frame.CopyTo(bytes);
            await _stream.WriteAsync(bytes.AsMemory(0, frame.Length), _closed.Token).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private Task ReadAnswersOnOwnThread()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                // Reads block, so that it stays on this thread.
                ReadAnswersAsync().GetAwaiter().GetResult();
                ended.SetResult();
            }
            catch (Exception e)
            {
                // Nobody expects one; whoever disposes the connection gets it.
                ended.SetException(e);
            }
        })
        {
            IsBackground = true,
            Name = $"kafka {_settings.ClientId}",
        };
        thread.Start();
        return ended.Task;
    }

    private ValueTask ReadExactlyAsync(Memory<byte> target)
    {
        if (!_settings.ReadsOnOwnThread) return _stream.ReadExactlyAsync(target, _closed.Token);
        _stream.ReadExactly(target.Span);
        return ValueTask.CompletedTask;
    }

    private async Task ReadAnswersAsync()
    {
        try
        {
            var head = new byte[LengthPrefixBytes];
            while (true)
            {
                await ReadExactlyAsync(head).ConfigureAwait(false);
                var length = BinaryPrimitives.ReadInt32BigEndian(head);
                if (length < CorrelationIdBytes || length > _settings.MaxResponseBytes)
                    throw new ProtocolException($"an answer of {length} bytes was announced, allowed are {CorrelationIdBytes} to {_settings.MaxResponseBytes}");
                PendingAnswer? answer;
                lock (_lock)
                {
                    if (!_pending.TryPeek(out answer)) throw new ProtocolException("an answer was announced that nobody has asked for");
                }

                var body = await ReadBodyAsync(length, answer.IsPooled).ConfigureAwait(false);
                var correlationId = BinaryPrimitives.ReadInt32BigEndian(body);
                if (answer.CorrelationId != correlationId)
                    throw new ProtocolException($"an answer has correlation id {correlationId}, which is not the oldest request's");
                bool isLast;
                lock (_lock)
                {
                    // Gone when the connection was given up meanwhile; whoever asked has been told.
                    if (!_pending.TryDequeue(out _)) throw new ConnectionLostException("it was given up", _failure);
                    isLast = _retired && _pending.Count == 0;
                }

                _inFlight.Release();
                answer.Complete(body, length);
                if (isLast) await FailAsync(Retired()).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ProtocolException or ConnectionLostException or OperationCanceledException or ObjectDisposedException)
        {
            await FailAsync(new ConnectionLostException($"The connection to {Address} broke: {e.Message}", e)).ConfigureAwait(false);
        }
    }

    // Grows with what arrives: a peer that announces a long answer and sends little does not make us allocate for the announcement.
    private async Task<byte[]> ReadBodyAsync(int length, bool pooled)
    {
        const int FirstChunkBytes = 1 << 16;
        var body = NewBody(Math.Min(length, FirstChunkBytes), pooled);
        var filled = 0;
        while (true)
        {
            var room = Math.Min(length, body.Length) - filled;
            await ReadExactlyAsync(body.AsMemory(filled, room)).ConfigureAwait(false);
            filled += room;
            if (filled == length) return body;
            var grown = NewBody((int)Math.Min(length, 2L * filled), pooled);
            body.AsSpan(0, filled).CopyTo(grown);
            if (pooled) ArrayPool<byte>.Shared.Return(body);
            body = grown;
        }
    }

    private static byte[] NewBody(int length, bool pooled) => pooled ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];

    private ConnectionLostException Retired() => new($"The connection to {Address} was closed in favour of a newer one");

    private async Task FailAsync(ConnectionLostException failure)
    {
        PendingAnswer[] waiting;
        lock (_lock)
        {
            if (_failure is not null) return;
            _failure = failure;
            waiting = [.. _pending];
            _pending.Clear();
        }

        await _closed.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        if (waiting.Length > 0) _inFlight.Release(waiting.Length);
        foreach (var answer in waiting) answer.Fail(failure);
    }
}
