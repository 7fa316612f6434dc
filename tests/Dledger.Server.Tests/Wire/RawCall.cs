using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Dledger.Server.Tests.Wire;

/// <summary>One gRPC call written by hand over HTTP/2, for headers and addresses that no gRPC library would
/// send.</summary>
internal sealed class RawCall : IDisposable
{
    private const int PrefixBytes = 5;

    private readonly HttpMessageInvoker _http;
    private readonly DuplexContent _content = new();
    private readonly Task<HttpResponseMessage> _response;
    private Stream? _body;

    public RawCall(int port, string method, params (string Name, string Value)[] headers)
        : this(new SocketsHttpHandler(), new Uri($"http://127.0.0.1:{port}"), method, headers)
    {
    }

    public RawCall(SocketsHttpHandler handler, Uri server, string method, params (string Name, string Value)[] headers)
    {
        _http = new HttpMessageInvoker(handler);
        var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(server, $"/apache.rocketmq.v2.MessagingService/{method}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = _content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        _response = _http.SendAsync(request, CancellationToken.None);
    }

    public void Dispose()
    {
        _content.Complete();
        _http.Dispose();
    }

    public async Task WriteAsync(IMessage message)
    {
        var bytes = message.ToByteArray();
        var frame = new byte[PrefixBytes + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame, PrefixBytes);
        var stream = await _content.StreamAsync;
        await stream.WriteAsync(frame);
        await stream.FlushAsync();
    }

    /// <summary>Waits until the request has left without an end.</summary>
    public async Task ReachServerAsync()
    {
        var stream = await _content.StreamAsync;
        await stream.WriteAsync(new byte[] { 0 });
        await stream.FlushAsync();
    }

    /// <summary>Writes, or fails with what went wrong when no connection comes about.</summary>
    public async Task WriteOrFailAsync(IMessage message)
    {
        await Task.WhenAny(_content.StreamAsync, _response);
        if (_response.IsFaulted)
        {
            await _response;
        }

        await WriteAsync(message);
    }

    /// <summary>Ends the client's half.</summary>
    public void Complete() => _content.Complete();

    public async Task<T> ReadAsync<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        var response = await _response;
        _body ??= await response.Content.ReadAsStreamAsync();
        var prefix = new byte[PrefixBytes];
        await _body.ReadExactlyAsync(prefix);
        var bytes = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await _body.ReadExactlyAsync(bytes);
        return parser.ParseFrom(bytes);
    }

    private sealed class DuplexContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public DuplexContent() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        public Task<Stream> StreamAsync => _stream.Task;

        public void Complete() => _done.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _stream.TrySetResult(stream);
            await _done.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
