using System.IO.Pipelines;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>One call being served: the context that the handler sees, and the only writer of its response.</summary>
/// <remarks>
/// <code>
/// open ── handler returns or throws ──> over (status sent)
///   └──── deadline passes ────────────> over (status sent, or the stream reset while a write is under way)
/// </code>
/// The handler and the deadline timer race for the response: who moves <c>_over</c> under <c>_gate</c> has it, and from
/// then on every write is refused. The request does not return before the handler has, whatever came first.
/// </remarks>
internal sealed class ServerCall : ServerCallContext
{
    private readonly IMethod _method;
    private readonly CallEnvironment _environment;
    private readonly MessageWriter _writer;
    private readonly PipeWriter _output;
    private readonly Lock _gate = new();
    private bool _over;
    private bool _writing;
    private bool _headersWritten;
    private string? _responseEncoding;
    private CallDeadline? _deadline;
    private Metadata? _requestHeaders;
    private Metadata? _trailers;
    private AuthContext? _authContext;

    public ServerCall(HttpContext http, IMethod method, CallEnvironment environment)
    {
        HttpContext = http;
        _method = method;
        _environment = environment;
        _output = http.Response.BodyWriter;
        _writer = new MessageWriter(environment.Settings.SendBytesMax);
        Reader = new MessageReader(
            http.Request.BodyReader, environment.Settings.ReceiveBytesMax, http.Request.Headers[HeaderNames.Encoding]);
    }

    public HttpContext HttpContext { get; }

    public MessageReader Reader { get; }

    /// <summary>The status was sent or given up; no more is read or written.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
            {
                return _over;
            }
        }
    }

    protected override string MethodCore => _method.FullName;

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore => PeerAddress.Format(HttpContext.Connection);

    protected override DateTime DeadlineCore => _deadline?.At ?? DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadRequestHeaders();

    protected override CancellationToken CancellationTokenCore => _deadline?.Token ?? HttpContext.RequestAborted;

    protected override Metadata ResponseTrailersCore => _trailers ??= [];

    protected override Status StatusCore { get; set; } = Status.DefaultSuccess;

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore =>
        _authContext ??= PeerAddress.Authenticate(HttpContext.Connection.ClientCertificate);

    /// <summary>Lifts the server's guards against slow requests and starts the deadline.</summary>
    public void Begin()
    {
        var features = HttpContext.Features;
        if (features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            // A client stream may be silent for minutes; the guard would close the connection with all its calls.
            rate.MinDataRate = null;
        }

        if (features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        HttpContext.Response.ContentType = HeaderNames.GrpcContentType;
        _responseEncoding = Negotiate(_environment.Settings.ResponseEncoding);
        string? timeout = HttpContext.Request.Headers[HeaderNames.Timeout];
        if (timeout is null)
        {
            return;
        }

        if (!GrpcTimeout.TryParse(timeout, out var remaining))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The grpc-timeout \"{timeout}\" is not valid."));
        }

        _deadline = _environment.Deadlines.Take();
        _deadline.Start(this, remaining, HttpContext.RequestAborted);
    }

    /// <summary>The only message of a response that is no stream; it leaves together with the status.</summary>
    public Task WriteSingleAsync<TResponse>(Marshaller<TResponse> marshaller, TResponse? response)
        where TResponse : class
    {
        if (response is null)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "The handler returned no message."));
        }

        // After an error status no message may follow, also where the handler returned one.
        return StatusCore.StatusCode == StatusCode.OK
            ? WriteAsync(marshaller, response, flush: false, CancellationToken.None)
            : Task.CompletedTask;
    }

    public Task WriteStreamedAsync<TResponse>(
        Marshaller<TResponse> marshaller, TResponse message, CancellationToken cancellationToken)
    {
        return WriteAsync(marshaller, message, flush: !HasFlag(WriteFlags.BufferHint), cancellationToken);
    }

    /// <summary>Sends the status, unless the deadline was first.</summary>
    public void Finish(Status status)
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _over = true;
        }

        WriteStatus(status, _trailers);
    }

    /// <summary>Ends the call after the handler threw.</summary>
    public void Fail(Exception fault)
    {
        var isOver = IsOver || HttpContext.RequestAborted.IsCancellationRequested || fault is PeerGoneException;
        if (isOver)
        {
            GrpcServerEvents.CallWasOver(_environment.Logger, _method.FullName, fault);
        }

        if (fault is RpcException refusal)
        {
            GrpcServerEvents.Refused(
                _environment.Logger, _method.FullName, refusal.StatusCode, refusal.Status.Detail);
            foreach (var entry in refusal.Trailers)
            {
                ResponseTrailers.Add(entry);
            }

            Finish(refusal.Status);
            return;
        }

        if (!isOver)
        {
            GrpcServerEvents.HandlerFailed(_environment.Logger, _method.FullName, fault);
        }

        var detail = "The handler failed unexpectedly.";
        if (_environment.Settings.DetailedErrors)
        {
            detail += $" {fault.GetType().Name}: {fault.Message}";
        }

        Finish(new Status(StatusCode.Unknown, detail, fault));
    }

    /// <summary>Waits until the deadline timer is done with the response.</summary>
    public ValueTask EndAsync()
    {
        return _deadline is { } deadline ? _environment.Deadlines.ReturnAsync(deadline) : ValueTask.CompletedTask;
    }

    /// <summary>Runs on the timer: ends the call for the client before the handler hears of it.</summary>
    public async ValueTask ExpireAsync()
    {
        bool reset;
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _over = true;
            reset = _writing;
        }

        GrpcServerEvents.DeadlineExceeded(_environment.Logger, _method.FullName);
        if (reset)
        {
            // A message is half way into the stream, perhaps held by flow control: no status can follow it.
            ResetStream();
            return;
        }

        // Without the handler's trailers: it may be changing them just now.
        WriteStatus(new Status(StatusCode.DeadlineExceeded, "The deadline passed before the call ended."), null);
        await HttpContext.Response.CompleteAsync();
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        BeginWrite();
        try
        {
            if (_headersWritten || HttpContext.Response.HasStarted)
            {
                throw new InvalidOperationException("The response headers were sent before.");
            }

            if (responseHeaders.Get(HeaderNames.EncodingRequest) is { } encoding)
            {
                _responseEncoding = Negotiate(encoding.Value);
            }

            AppendMetadata(HttpContext.Response.Headers, responseHeaders);
            await StartResponseAsync(CancellationToken.None);
            await _output.FlushAsync();
        }
        finally
        {
            EndWrite();
        }
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
    {
        throw new NotSupportedException(
            "Propagation tokens are not supported: pass on Deadline and CancellationToken.");
    }

    private static void AppendMetadata(IHeaderDictionary fields, Metadata metadata)
    {
        foreach (var entry in metadata)
        {
            if (!HeaderNames.IsReserved(entry.Key))
            {
                fields.Append(entry.Key, HeaderFields.FormatValue(entry));
            }
        }
    }

    private async Task WriteAsync<TResponse>(
        Marshaller<TResponse> marshaller, TResponse message, bool flush, CancellationToken cancellationToken)
    {
        BeginWrite();
        try
        {
            if (!_headersWritten)
            {
                await StartResponseAsync(cancellationToken);
            }

            var compress = _responseEncoding == HeaderNames.Gzip && !HasFlag(WriteFlags.NoCompress);
            _writer.Write(marshaller, message, _output, compress ? _environment.Settings.GzipLevel : null);
            if (flush)
            {
                await _output.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            EndWrite();
        }
    }

    private Task StartResponseAsync(CancellationToken cancellationToken)
    {
        _headersWritten = true;
        var headers = HttpContext.Response.Headers;
        if (_responseEncoding == HeaderNames.Gzip)
        {
            headers[HeaderNames.Encoding] = HeaderNames.Gzip;
        }

        headers[HeaderNames.AcceptEncoding] = HeaderNames.AcceptedEncodings;
        return HttpContext.Response.StartAsync(cancellationToken);
    }

    private void BeginWrite()
    {
        lock (_gate)
        {
            if (_over || CancellationToken.IsCancellationRequested)
            {
                throw new InvalidOperationException("The call is over: no message can be written.");
            }

            if (_writing)
            {
                throw new InvalidOperationException("One message at a time: the previous write has not completed.");
            }

            _writing = true;
        }
    }

    private void EndWrite()
    {
        lock (_gate)
        {
            _writing = false;
        }
    }

    private bool HasFlag(WriteFlags flag)
    {
        return WriteOptionsCore is { } options && (options.Flags & flag) != 0;
    }

    private void ResetStream()
    {
        const int Http2Cancel = 0x8;
        if (HttpContext.Features.Get<IHttpResetFeature>() is { } feature)
        {
            feature.Reset(Http2Cancel);
        }
        else
        {
            HttpContext.Abort();
        }
    }

    /// <summary>In the headers when nothing was sent yet (one frame ends the call), else in the trailers.</summary>
    private void WriteStatus(Status status, Metadata? trailers)
    {
        var response = HttpContext.Response;
        var fields = response.HasStarted
            ? HttpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : response.Headers;
        if (trailers is not null)
        {
            try
            {
                AppendMetadata(fields, trailers);
            }
            catch (ArgumentException fault)
            {
                GrpcServerEvents.HandlerFailed(_environment.Logger, _method.FullName, fault);
                status = new Status(StatusCode.Internal, "The trailers of the handler cannot be sent.");
            }
        }

        fields[HeaderNames.Status] = StatusFields.FormatCode(status.StatusCode);
        if (!string.IsNullOrEmpty(status.Detail))
        {
            fields[HeaderNames.Message] = PercentEncoding.Encode(status.Detail);
        }
    }

    private string? Negotiate(string? wanted)
    {
        return wanted == HeaderNames.Gzip
            && HeaderNames.ListContains(HttpContext.Request.Headers[HeaderNames.AcceptEncoding], HeaderNames.Gzip)
                ? HeaderNames.Gzip
                : null;
    }

    private Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        foreach (var (name, values) in HttpContext.Request.Headers)
        {
            foreach (var value in values)
            {
                HeaderFields.AddReceived(metadata, name, value ?? "");
            }
        }

        return metadata;
    }
}
