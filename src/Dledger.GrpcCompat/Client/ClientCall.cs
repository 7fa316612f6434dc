using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.GrpcCompat.Client;

/// <summary>One call being made: its HTTP exchange, its status, and who ends it first.</summary>
/// <remarks>
/// <code>
/// sending ── response headers ──> receiving ── trailers ──> ended with the server's status
///    └──────────┬────────────────────┘
///               └─ cancelled, disposed, deadline, fault ──> ended with a status of our own; the stream is reset
/// </code>
/// The first end wins, under <c>_gate</c>; nothing changes the status afterwards. Safe for any thread, but one reader
/// and one writer at a time.
/// </remarks>
internal sealed class ClientCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private const int SingleBufferBytes = 4 * 1024;
    private const int StreamBufferBytes = 32 * 1024;

    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly MessageWriter _writer;
    private readonly string? _requestEncoding;
    private readonly DateTime? _deadline;
    private StreamingRequestContent? _streaming;
    private CancellationTokenRegistration _callerRegistration;
    private CancellationTokenRegistration _channelRegistration;
    private CallTimer? _timer;
    private Task _sent = Task.CompletedTask;
    private PipeReader? _pipe;
    private volatile MessageReader? _reader;

    // Guarded by _gate. _status is set once; _trailers with it.
    private HttpResponseMessage? _response;
    private TaskCompletionSource<Metadata>? _headers;
    private Status? _status;
    private Metadata? _trailers;

    public ClientCall(GrpcChannel channel, Method<TRequest, TResponse> method, CallOptions options)
    {
        ObjectDisposedException.ThrowIf(channel.Disposed.IsCancellationRequested, channel);
        if (options.PropagationToken is not null)
        {
            throw new NotSupportedException(
                "Propagation tokens are not supported: set Deadline and CancellationToken.");
        }

        _channel = channel;
        _method = method;
        Options = options;
        _deadline = CheckDeadline(options.Deadline);
        _writer = new MessageWriter(channel.Options.MaxSendMessageSize);
        _requestEncoding = options.Headers?.GetValue(HeaderNames.EncodingRequest);
        if (_requestEncoding is not (null or HeaderNames.Gzip or HeaderNames.Identity))
        {
            throw new InvalidOperationException(
                $"The request encoding \"{_requestEncoding}\" is not known; known are \"gzip\" and \"identity\".");
        }

        Aborted = _aborted.Token;
    }

    public CallOptions Options { get; }

    /// <summary>Fires when the call ends otherwise than by the server's status.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Begins the exchange. Metadata that HTTP cannot carry throw <see cref="ArgumentException"/>.</summary>
    public void Start(HttpContent content, string? host)
    {
        _streaming = content as StreamingRequestContent;
        var timeout = _deadline - _channel.Options.Time.GetUtcNow().UtcDateTime;
        var request = CreateRequest(content, host, timeout);
        if (timeout <= TimeSpan.Zero)
        {
            Abort(CallFaults.DeadlineExceeded);
            return;
        }

        if (_deadline is { } deadline)
        {
            _timer = new CallTimer(_channel.Options.Time, deadline, () => Abort(CallFaults.DeadlineExceeded));
        }

        _callerRegistration = Options.CancellationToken.UnsafeRegister(
            static state => ((ClientCall<TRequest, TResponse>)state!).Cancel(), this);
        _channelRegistration = _channel.Disposed.UnsafeRegister(
            static state => ((ClientCall<TRequest, TResponse>)state!).Dispose(), this);
        if (EndedWith() is not null)
        {
            // Ended between the lines above, perhaps before its registrations were known.
            ReleaseRegistrations();
            return;
        }

        _sent = SendAsync(request);
    }

    /// <summary>The response of a call that has one; the task is observed, so that nobody has to await it.</summary>
    public Task<TResponse> ReadSingleAsync()
    {
        var task = ReadSingleCoreAsync();
        if (!task.IsCompleted)
        {
            task.ContinueWith(
                static ended => _ = ended.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
        else
        {
            _ = task.Exception;
        }

        return task;
    }

    /// <summary>True: a message that has already arrived. False: <see cref="ReadAsync"/> must tell.</summary>
    public bool TryReadBuffered(out TResponse? message)
    {
        message = null;
        try
        {
            // The end of the stream is left to ReadAsync, which finds it again, with the trailers.
            return _reader is { } reader
                && !Aborted.IsCancellationRequested
                && reader.TryRead(_method.ResponseMarshaller, out message)
                && message is not null;
        }
        catch (Exception fault)
        {
            Abort(TransportFault.ToStatus(fault));
            return false;
        }
    }

    /// <summary>Null when the call has ended with OK; any other status throws.</summary>
    public async Task<TResponse?> ReadAsync()
    {
        await _sent.ConfigureAwait(false);
        var message = default(TResponse);
        if (EndedWith() is null)
        {
            try
            {
                message = await _reader!.ReadAsync(_method.ResponseMarshaller, Aborted).ConfigureAwait(false);
            }
            catch (Exception fault)
            {
                AbortFor(fault);
            }

            if (message is null)
            {
                EndWithTrailers();
            }
        }

        return EndedWith() is { } status && status.StatusCode != StatusCode.OK
            ? throw CreateException(status)
            : message;
    }

    public void Serialize(TRequest message, IBufferWriter<byte> target, WriteOptions? options)
    {
        var plain = options is not null && (options.Flags & WriteFlags.NoCompress) != 0;
        var compress = _requestEncoding == HeaderNames.Gzip && !plain;
        _writer.Write(_method.RequestMarshaller, message, target, compress ? CompressionLevel.Fastest : null);
    }

    /// <summary>Throws the reason why the request stream takes no more.</summary>
    public void ThrowIfNotWritable()
    {
        if (EndedWith() is { } status)
        {
            throw status.StatusCode == StatusCode.OK
                ? new InvalidOperationException("The call is over: no message can be written.")
                : CreateException(status);
        }
    }

    public Task<Metadata> GetHeadersAsync()
    {
        lock (_gate)
        {
            if (_headers is null)
            {
                _headers = new TaskCompletionSource<Metadata>(TaskCreationOptions.RunContinuationsAsynchronously);
                PublishHeaders();
            }

            return _headers.Task;
        }
    }

    public Status GetStatus()
    {
        return EndedWith()
            ?? throw new InvalidOperationException("The call has no status before it has ended.");
    }

    public Metadata GetTrailers()
    {
        lock (_gate)
        {
            return _trailers
                ?? throw new InvalidOperationException("The call has no trailers before it has ended.");
        }
    }

    /// <summary>Ends the call at the caller's wish.</summary>
    public void Cancel()
    {
        Abort(CallFaults.CancelledByCaller);
    }

    public void Dispose()
    {
        Abort(CallFaults.Disposed);
    }

    /// <summary>
    /// Ends the call with a status of our own and resets its stream. No effect on a call that has ended.
    /// </summary>
    public void Abort(Status status)
    {
        HttpResponseMessage? response;
        lock (_gate)
        {
            if (_status is not null)
            {
                return;
            }

            _status = status;
            _trailers = Metadata.Empty;
            response = _response;
            PublishHeaders();
        }

        ReleaseRegistrations();
        _aborted.Cancel();
        _streaming?.Abandon();
        response?.Dispose();
    }

    public Exception CreateException(Status status)
    {
        if (_channel.Options.ThrowOperationCanceledOnCancellation
            && (status.StatusCode == StatusCode.DeadlineExceeded || status.Equals(CallFaults.CancelledByCaller)))
        {
            var token = Options.CancellationToken.IsCancellationRequested ? Options.CancellationToken : Aborted;
            return new OperationCanceledException(status.Detail, new RpcException(status), token);
        }

        Metadata trailers;
        lock (_gate)
        {
            trailers = _trailers ?? Metadata.Empty;
        }

        return new RpcException(status, trailers);
    }

    private static DateTime? CheckDeadline(DateTime? deadline)
    {
        if (deadline is not { } value || value == DateTime.MaxValue)
        {
            return null;
        }

        return value.Kind == DateTimeKind.Utc || value == DateTime.MinValue
            ? value
            : throw new InvalidOperationException(
                "A deadline is in UTC (DateTimeKind.Utc); only MinValue and MaxValue may be of another kind.");
    }

    private HttpRequestMessage CreateRequest(HttpContent content, string? host, TimeSpan? timeout)
    {
        content.Headers.ContentType = CallHeaders.ContentType;
        var request = new HttpRequestMessage(HttpMethod.Post, _channel.GetUri(_method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (!string.IsNullOrEmpty(host))
        {
            request.Headers.Host = host;
        }

        if (Options.Headers is { Count: > 0 } headers)
        {
            CallHeaders.AddMetadata(request, headers);
        }

        CallHeaders.AddProtocolHeaders(request.Headers, _requestEncoding, timeout);
        return request;
    }

    /// <summary>Never throws: what goes wrong ends the call.</summary>
    private async Task SendAsync(HttpRequestMessage request)
    {
        try
        {
            if (FindCredentials() is { Count: > 0 } credentials)
            {
                await AddCredentialsAsync(request, credentials).ConfigureAwait(false);
            }

            var response = await _channel.Invoker.SendAsync(request, Aborted).ConfigureAwait(false);
            await ReceiveHeadersAsync(response).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            AbortFor(fault);
        }
    }

    private IReadOnlyList<AsyncAuthInterceptor> FindCredentials()
    {
        var ofChannel = _channel.Options.Credentials?.CallCredentials;
        if (ofChannel is null && Options.Credentials is null)
        {
            return [];
        }

        return _channel.IsSecure || _channel.Options.UnsafeUseInsecureChannelCallCredentials
            ? CredentialsCollector.Collect(ofChannel, Options.Credentials)
            : [];
    }

    private async Task AddCredentialsAsync(HttpRequestMessage request, IReadOnlyList<AsyncAuthInterceptor> credentials)
    {
        var serviceUrl = new Uri(_channel.Address, _method.ServiceName).ToString();
        var metadata = new Metadata();
        foreach (var interceptor in credentials)
        {
            await interceptor(
                new AuthInterceptorContext(serviceUrl, _method.Name, Aborted), metadata).ConfigureAwait(false);
        }

        CallHeaders.AddMetadata(request, metadata);
    }

    private async Task ReceiveHeadersAsync(HttpResponseMessage response)
    {
        if (ResponseStatus.FromHeaders(response) is { } status)
        {
            lock (_gate)
            {
                _response = response;
            }

            End(status, CallHeaders.Read(response.Headers));
            return;
        }

        var stream = await response.Content.ReadAsStreamAsync(Aborted).ConfigureAwait(false);
        var streamed = _method.Type is MethodType.ServerStreaming or MethodType.DuplexStreaming;
        _pipe = PipeReader.Create(
            stream, new StreamPipeReaderOptions(bufferSize: streamed ? StreamBufferBytes : SingleBufferBytes));
        lock (_gate)
        {
            _response = response;
            _reader = new MessageReader(
                _pipe, _channel.Options.MaxReceiveMessageSize, CallHeaders.Get(response.Headers, HeaderNames.Encoding));
            PublishHeaders();
            if (_status is null)
            {
                return;
            }
        }

        // The call ended while the headers were under way.
        response.Dispose();
    }

    private async Task<TResponse> ReadSingleCoreAsync()
    {
        var response = await ReadAsync().ConfigureAwait(false);
        if (response is null)
        {
            throw CreateException(new Status(StatusCode.Internal, "The server sent no response message."));
        }

        if (await ReadAsync().ConfigureAwait(false) is not null)
        {
            Abort(new Status(StatusCode.Internal, "The server sent more than one response message."));
            throw CreateException(GetStatus());
        }

        return response;
    }

    private Status? EndedWith()
    {
        lock (_gate)
        {
            return _status;
        }
    }

    /// <summary>The body was read to its end. Without effect where the call was aborted meanwhile.</summary>
    private void EndWithTrailers()
    {
        if (EndedWith() is not null)
        {
            return;
        }

        try
        {
            End(ResponseStatus.FromTrailers(_response!), CallHeaders.Read(_response!.TrailingHeaders));
            _pipe!.Complete();
            _response!.Dispose();
        }
        catch (RpcException fault)
        {
            Abort(fault.Status);
        }
    }

    private void End(Status status, Metadata trailers)
    {
        lock (_gate)
        {
            if (_status is not null)
            {
                return;
            }

            _status = status;
            _trailers = trailers;
            PublishHeaders();
        }

        ReleaseRegistrations();

        // The server has answered; whatever of the request is still to come it does not want.
        _streaming?.Abandon();
    }

    private void AbortFor(Exception fault)
    {
        var late = _deadline <= _channel.Options.Time.GetUtcNow().UtcDateTime && TransportFault.IsCancelReset(fault);

        // A server whose write is under way at the deadline can only reset the stream.
        Abort(late ? CallFaults.DeadlineExceeded : TransportFault.ToStatus(fault));
    }

    /// <summary>Completes the task of the headers once they, or the end, are known. Called under the gate.</summary>
    private void PublishHeaders()
    {
        if (_headers is null)
        {
            return;
        }

        if (_response is not null)
        {
            try
            {
                _headers.TrySetResult(CallHeaders.Read(_response.Headers));
            }
            catch (RpcException fault)
            {
                _headers.TrySetException(fault);
            }
        }
        else if (_status is { } status)
        {
            _headers.TrySetException(CreateException(status));
        }

        // Nobody has to await the headers.
        _ = _headers.Task.Exception;
    }

    private void ReleaseRegistrations()
    {
        _callerRegistration.Unregister();
        _channelRegistration.Unregister();
        _timer?.Dispose();
    }
}
