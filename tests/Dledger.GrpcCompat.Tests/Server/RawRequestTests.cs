using System.Net;
using Dledger.GrpcCompat.Tests.Interop;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Testing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>What the server makes of requests that no well-behaved client sends, byte for byte.</summary>
public sealed class RawRequestTests : IAsyncLifetime
{
    private const string UnaryPath = "/grpc.testing.TestService/UnaryCall";

    private readonly ScriptedService _service = new();
    private InteropServer _server = null!;
    private RawCall _call = null!;

    public async Task InitializeAsync()
    {
        _server = await InteropServer.StartAsync<ScriptedService>(
            options => options.MaxReceiveMessageSize = 1000, services => services.AddSingleton(_service));
        _call = new RawCall(_server.Address);
    }

    public async Task DisposeAsync()
    {
        _call.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("application/grpc", 200)]
    [InlineData("application/grpc+proto", 200)]
    [InlineData("application/grpc-web", 415)]
    [InlineData("application/json", 415)]
    [InlineData(null, 415)]
    public async Task A_content_type_that_is_not_grpcs_gets_415(string? contentType, int status)
    {
        _call.ContentType = contentType;

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]));

        Assert.Equal(status, answer.HttpStatus);
        Assert.Equal(status == 200, answer.Trailers.ContainsKey("grpc-status"));
    }

    [Fact]
    public async Task A_method_other_than_post_gets_405()
    {
        _call.Method = HttpMethod.Put;

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]));

        Assert.Equal(405, answer.HttpStatus);
        Assert.Equal("POST", answer.Headers["allow"]);
    }

    [Fact]
    public async Task Http_1_gets_426()
    {
        await using var server = await InteropServer.StartAsync<ScriptedService>(
            listen: endpoint => endpoint.Protocols = HttpProtocols.Http1);
        using var call = new RawCall(server.Address) { Version = HttpVersion.Version11 };

        var answer = await call.SendAsync(UnaryPath, RawCall.Frame([]));

        Assert.Equal(426, answer.HttpStatus);
    }

    [Theory]
    [InlineData("/grpc.testing.TestService/NoSuchMethod", "method")]
    [InlineData("/grpc.testing.NoSuchService/UnaryCall", "service")]
    public async Task An_unknown_path_gets_unimplemented_in_a_trailers_only_response(string path, string unknown)
    {
        var answer = await _call.SendAsync(path, RawCall.Frame([]));

        Assert.True(answer.IsTrailersOnly);
        Assert.Equal((int)StatusCode.Unimplemented, answer.Status);
        Assert.Equal($"{path} is not implemented: unknown {unknown}.", answer.Headers["grpc-message"]);
    }

    [Fact]
    public async Task An_unknown_path_of_a_request_that_is_not_grpcs_gets_404()
    {
        _call.ContentType = "text/html";

        Assert.Equal(404, (await _call.SendAsync("/some/page", [])).HttpStatus);
    }

    [Fact]
    public async Task An_unknown_encoding_gets_unimplemented_and_the_known_ones()
    {
        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]), ("grpc-encoding", "snappy"));

        Assert.Equal((int)StatusCode.Unimplemented, answer.Status);
        Assert.Equal("identity,gzip", answer.Headers["grpc-accept-encoding"]);
    }

    [Fact]
    public async Task A_response_has_its_message_in_the_body_and_its_status_in_the_trailers()
    {
        _service.Unary = (_, _) => Task.FromResult(new SimpleResponse { Username = "abc" });

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]));

        Assert.Equal(200, answer.HttpStatus);
        Assert.Equal("application/grpc", answer.Headers["content-type"]);
        Assert.Equal(RawCall.Frame(new SimpleResponse { Username = "abc" }.ToByteArray()), answer.Body);
        Assert.Equal("0", answer.Trailers["grpc-status"]);
        Assert.DoesNotContain("grpc-message", answer.Trailers.Keys);
    }

    [Fact]
    public async Task A_refusal_before_any_message_is_one_header_frame_with_trailers_and_an_encoded_text()
    {
        _service.Unary = (_, context) =>
        {
            context.ResponseTrailers.Add("x-reason-bin", [1, 2, 3, 4]);
            throw new RpcException(
                new Status(StatusCode.NotFound, "nö 100%"), new Metadata { { "x-place", "here" } });
        };

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]));

        Assert.True(answer.IsTrailersOnly);
        Assert.Equal((int)StatusCode.NotFound, answer.Status);
        Assert.Equal("n%C3%B6 100%25", answer.Headers["grpc-message"]);
        Assert.Equal("AQIDBA", answer.Headers["x-reason-bin"]);
        Assert.Equal("here", answer.Headers["x-place"]);
    }

    [Fact]
    public async Task No_message_cut_off_messages_and_surplus_messages_get_internal()
    {
        var whole = RawCall.Frame(new SimpleRequest { ResponseSize = 5 }.ToByteArray());
        foreach (var body in (byte[][])[[], [0], whole[..^1], [.. whole, .. whole], [.. whole, 0]])
        {
            Assert.Equal((int)StatusCode.Internal, (await _call.SendAsync(UnaryPath, body)).Status);
        }
    }

    [Fact]
    public async Task A_message_that_does_not_parse_gets_internal_and_never_reaches_the_handler()
    {
        _service.Unary = (_, _) => throw new InvalidOperationException("must not be called");

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([0xff, 0xff, 0xff]));

        Assert.Equal((int)StatusCode.Internal, answer.Status);
        Assert.Equal("A message could not be parsed.", answer.Headers["grpc-message"]);
    }

    [Theory]
    [InlineData(1000, StatusCode.OK)]
    [InlineData(1001, StatusCode.ResourceExhausted)]
    public async Task A_message_above_the_limit_gets_resource_exhausted(int size, StatusCode status)
    {
        var overhead = RequestOf(900).CalculateSize() - 900;
        var request = RequestOf(size - overhead);
        Assert.Equal(size, request.CalculateSize());

        Assert.Equal((int)status, (await _call.SendAsync(UnaryPath, RawCall.Frame(request.ToByteArray()))).Status);
    }

    [Fact]
    public async Task A_message_above_the_limit_is_refused_before_its_body_arrives()
    {
        var body = new NeverEndingContent([0, 0x7f, 0xff, 0xff, 0xff]);

        var answer = await _call.SendAsync(UnaryPath, body);

        Assert.Equal((int)StatusCode.ResourceExhausted, answer.Status);
    }

    [Theory]
    [InlineData("99999999H")]
    [InlineData("1H")]
    [InlineData("2999952u")]
    public async Task Every_legal_timeout_is_taken(string timeout)
    {
        var seen = DateTime.MinValue;
        _service.Unary = (_, context) =>
        {
            seen = context.Deadline;
            return Task.FromResult(new SimpleResponse());
        };

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]), ("grpc-timeout", timeout));

        Assert.Equal(0, answer.Status);
        Assert.Equal(DateTimeKind.Utc, seen.Kind);
        Assert.True(seen > DateTime.UtcNow - TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("123456789m")]
    [InlineData("soon")]
    public async Task An_illegal_timeout_gets_internal(string timeout)
    {
        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]), ("grpc-timeout", timeout));

        Assert.Equal((int)StatusCode.Internal, answer.Status);
    }

    [Fact]
    public async Task Binary_headers_are_read_padded_unpadded_and_joined_and_protocol_headers_are_hidden()
    {
        Metadata? seen = null;
        _service.Unary = (_, context) =>
        {
            seen = context.RequestHeaders;
            return Task.FromResult(new SimpleResponse());
        };

        await _call.SendAsync(
            UnaryPath,
            RawCall.Frame([]),
            ("x-one-bin", "AA=="),
            ("x-many-bin", "AQ,Ag==, Aw"),
            ("X-Text", "a, b"),
            ("grpc-timeout", "1H"),
            ("grpc-accept-encoding", "gzip"));

        Assert.Equal([0], seen!.GetValueBytes("x-one-bin")!);
        Assert.Equal([1, 2, 3], seen.GetAll("x-many-bin").Select(entry => (int)entry.ValueBytes.Single()));
        Assert.Equal("a, b", seen.GetValue("x-text"));
        Assert.DoesNotContain(
            seen,
            entry => entry.Key.StartsWith("grpc-", StringComparison.Ordinal)
                || entry.Key is "te" or "content-type" or "host");
    }

    [Fact]
    public async Task A_binary_header_that_is_not_base64_gets_internal_once_it_is_read()
    {
        _service.Unary = (_, context) => Task.FromResult(
            new SimpleResponse { Username = $"{context.RequestHeaders.Count}" });

        var answer = await _call.SendAsync(UnaryPath, RawCall.Frame([]), ("x-one-bin", "*"));

        Assert.Equal((int)StatusCode.Internal, answer.Status);
        Assert.Contains("x-one-bin", answer.Headers["grpc-message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_message_without_an_announced_encoding_gets_internal()
    {
        Assert.Equal(
            (int)StatusCode.Internal, (await _call.SendAsync(UnaryPath, RawCall.Frame([1, 2], flag: 1))).Status);
    }

    private static SimpleRequest RequestOf(int bodySize)
    {
        return new SimpleRequest { Payload = new Payload { Body = ByteString.CopyFrom(new byte[bodySize]) } };
    }

    /// <summary>Sends some bytes and then neither more nor an end.</summary>
    private sealed class NeverEndingContent(byte[] beginning) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(beginning);
            await stream.FlushAsync();
            await new TaskCompletionSource().Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
