using System.Net;
using Dledger.GrpcCompat.Tests.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;

namespace Dledger.GrpcCompat.Tests.Client;

/// <summary>What the client makes of responses, also of those that no gRPC server sends.</summary>
public sealed class ResponseTests
{
    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    public async Task An_http_status_becomes_the_status_of_grpcs_table(int http, StatusCode status)
    {
        Assert.Equal(status, await FailWithAsync(new HttpResponseMessage((HttpStatusCode)http)));
    }

    [Fact]
    public async Task A_grpc_status_in_the_headers_counts_more_than_the_http_status()
    {
        var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        response.Headers.Add("grpc-status", "5");

        Assert.Equal(StatusCode.NotFound, await FailWithAsync(response));
    }

    [Fact]
    public async Task Another_content_type_is_unknown()
    {
        Assert.Equal(
            StatusCode.Unknown, await FailWithAsync(new HttpResponseMessage { Content = new StringContent("<html>") }));
    }

    [Fact]
    public async Task An_end_without_a_status_is_internal()
    {
        Assert.Equal(StatusCode.Internal, await FailWithAsync(StubHandler.Respond(RawCall.Frame([]))));
    }

    [Fact]
    public async Task An_ok_status_without_or_with_two_messages_is_internal()
    {
        byte[] two = [.. RawCall.Frame([]), .. RawCall.Frame([])];

        Assert.Equal(StatusCode.Internal, await FailWithAsync(StubHandler.Respond([], ("grpc-status", "0"))));
        Assert.Equal(StatusCode.Internal, await FailWithAsync(StubHandler.Respond(two, ("grpc-status", "0"))));
    }

    [Fact]
    public async Task An_error_status_after_a_message_counts()
    {
        var response = StubHandler.Respond(
            RawCall.Frame([]),
            ("grpc-status", "10"),
            ("grpc-message", "n%C3%B6"),
            ("x-a-bin", "AA"),
            ("x-a-bin", "AQ=="));
        using var channel = Channel(response);
        using var call = Client(channel).UnaryCallAsync(new SimpleRequest());

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await call);

        Assert.Equal(new Status(StatusCode.Aborted, "nö"), fault.Status);
        Assert.Equal([0, 1], fault.Trailers.GetAll("x-a-bin").Select(entry => (int)entry.ValueBytes.Single()));
        Assert.Equal(fault.Status, call.GetStatus());
        Assert.Equal(2, call.GetTrailers().Count);
    }

    [Fact]
    public async Task A_compressed_message_of_an_encoding_that_was_not_offered_is_internal()
    {
        var response = StubHandler.Respond(RawCall.Frame([1], flag: 1), ("grpc-status", "0"));
        response.Headers.Add("grpc-encoding", "snappy");

        Assert.Equal(StatusCode.Internal, await FailWithAsync(response));
    }

    [Fact]
    public async Task A_message_above_the_limit_is_resource_exhausted()
    {
        var body = RawCall.Frame(new byte[11]);
        Assert.Equal(
            StatusCode.ResourceExhausted,
            await FailWithAsync(
                StubHandler.Respond(body, ("grpc-status", "0")), options => options.MaxReceiveMessageSize = 10));
    }

    [Fact]
    public async Task A_request_above_the_limit_is_resource_exhausted()
    {
        Assert.Equal(
            StatusCode.ResourceExhausted,
            await FailWithAsync(StubHandler.Respond([]), options => options.MaxSendMessageSize = 1));
    }

    [Fact]
    public async Task A_request_carries_what_the_protocol_asks_for_and_its_metadata()
    {
        var handler = new StubHandler(_ => StubHandler.Respond(RawCall.Frame([]), ("grpc-status", "0")));
        using var channel = GrpcChannel.ForAddress("http://host:81", new GrpcChannelOptions { HttpHandler = handler });

        await Client(channel).WithHost("other:82").UnaryCallAsync(
            new SimpleRequest(),
            new Metadata { { "x-text", "a" }, { "x-data-bin", [0] }, { "grpc-timeout", "1S" }, { "expires", "0" } },
            DateTime.UtcNow + TimeSpan.FromSeconds(100));

        var request = handler.LastRequest!;
        string? Header(string name)
        {
            return request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
        }

        Assert.Equal("http://host:81/grpc.testing.TestService/UnaryCall", request.RequestUri!.ToString());
        Assert.Equal("other:82", Header("host"));
        Assert.Equal(
            (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact), (request.Version, request.VersionPolicy));
        Assert.Equal("trailers", Header("te"));
        Assert.Equal("application/grpc", request.Content!.Headers.ContentType!.ToString());
        Assert.Equal("identity,gzip", Header("grpc-accept-encoding"));
        Assert.Matches("^9[0-9]{7}u$|^100000m$", Header("grpc-timeout"));
        Assert.Equal("a", Header("x-text"));
        Assert.Equal("AA", Header("x-data-bin"));
        Assert.Equal("0", request.Content.Headers.NonValidated["expires"].ToString());
        Assert.Null(request.Content.Headers.ContentLength);
    }

    [Fact]
    public void Metadata_that_http_cannot_carry_are_refused_at_the_call()
    {
        using var channel = Channel(StubHandler.Respond([]));

        Assert.Throws<ArgumentException>(
            () => Client(channel).UnaryCallAsync(new SimpleRequest(), new Metadata { { "x-text", "ö" } }));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 2)]
    public async Task Call_credentials_are_sent_in_the_clear_only_when_asked_for(bool unsafely, int entries)
    {
        var handler = new StubHandler(_ => StubHandler.Respond(RawCall.Frame([]), ("grpc-status", "0")));
        static CallCredentials Entry(string key)
        {
            return CallCredentials.FromInterceptor(
                (context, metadata) =>
                {
                    metadata.Add(key, context.MethodName);
                    return Task.CompletedTask;
                });
        }

        using var channel = GrpcChannel.ForAddress(
            "http://host",
            new GrpcChannelOptions
            {
                HttpHandler = handler,
                UnsafeUseInsecureChannelCallCredentials = unsafely,
                Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, Entry("x-channel")),
            });
        await Client(channel).UnaryCallAsync(
            new SimpleRequest(), new CallOptions(credentials: CallCredentials.Compose(Entry("x-call"))));

        Assert.Equal(
            entries, handler.LastRequest!.Headers.NonValidated.Count(header => header.Value.ToString() == "UnaryCall"));
    }

    [Fact]
    public void Credentials_that_do_not_fit_the_address_are_refused()
    {
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress(
                "http://host", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress(
                "https://host", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }));
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress("ftp://host"));
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress("host:80:90"));
    }

    private static TestService.TestServiceClient Client(GrpcChannel channel)
    {
        return new TestService.TestServiceClient(channel);
    }

    private static GrpcChannel Channel(HttpResponseMessage response, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions { HttpHandler = new StubHandler(_ => response) };
        configure?.Invoke(options);
        return GrpcChannel.ForAddress("http://host", options);
    }

    private static async Task<StatusCode> FailWithAsync(
        HttpResponseMessage response, Action<GrpcChannelOptions>? configure = null)
    {
        using var channel = Channel(response, configure);
        var request = new SimpleRequest { ResponseSize = 1 };
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await Client(channel).UnaryCallAsync(request));
        return fault.StatusCode;
    }
}
