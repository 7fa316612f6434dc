using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>Sends HTTP/2 requests whose headers and bytes the test chooses, and shows the answer unchanged.</summary>
internal sealed class RawCall : IDisposable
{
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly Uri _address;

    public RawCall(Uri address)
    {
        _address = address;
    }

    public HttpMethod Method { get; set; } = HttpMethod.Post;

    public Version Version { get; set; } = HttpVersion.Version20;

    public string? ContentType { get; set; } = "application/grpc";

    public void Dispose()
    {
        _http.Dispose();
    }

    /// <summary>One message with its prefix.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message, byte flag = 0)
    {
        var framed = new byte[5 + message.Length];
        framed[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(5));
        return framed;
    }

    public Task<RawAnswer> SendAsync(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        return SendAsync(path, new ByteArrayContent(body), headers);
    }

    public async Task<RawAnswer> SendAsync(string path, HttpContent body, params (string Name, string Value)[] headers)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var request = new HttpRequestMessage(Method, new Uri(_address, path))
        {
            Version = Version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = Method == HttpMethod.Get ? null : body,
        };
        if (request.Content is not null && ContentType is not null)
        {
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(ContentType);
        }

        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        using var response = await _http.SendAsync(request, timeout.Token);
        var content = await response.Content.ReadAsByteArrayAsync(timeout.Token);
        return new RawAnswer(
            (int)response.StatusCode,
            Collect(response.Headers).Concat(Collect(response.Content.Headers)).ToDictionary(),
            content,
            Collect(response.TrailingHeaders).ToDictionary());
    }

    private static IEnumerable<KeyValuePair<string, string>> Collect(HttpHeaders headers)
    {
        return headers.NonValidated.Select(
            header => KeyValuePair.Create(header.Key.ToLowerInvariant(), header.Value.ToString()));
    }
}

/// <summary>An HTTP response as it came.</summary>
internal sealed record RawAnswer(
    int HttpStatus, Dictionary<string, string> Headers, byte[] Body, Dictionary<string, string> Trailers)
{
    /// <summary>Whether the status came in the headers, which then were the whole response.</summary>
    public bool IsTrailersOnly => Headers.ContainsKey("grpc-status") && Body.Length == 0 && Trailers.Count == 0;

    public int Status =>
        int.Parse((IsTrailersOnly ? Headers : Trailers)["grpc-status"], CultureInfo.InvariantCulture);
}
