using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>
/// gRPC's interoperability cases as our client runs them ("Interoperability Test Case Descriptions").
/// </summary>
internal sealed class InteropCases : IDisposable
{
    private const string EncodingRequest = "grpc-internal-encoding-request";

    private readonly MessageFlagRecorder _recorder = new();
    private readonly GrpcChannel _channel;
    private readonly TestService.TestServiceClient _client;

    public InteropCases(Uri address)
    {
        _channel = GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = _recorder, DisposeHttpClient = true });
        _client = new TestService.TestServiceClient(_channel);
    }

    public static TheoryData<string> Names =>
    [
        "empty_unary",
        "large_unary",
        "client_streaming",
        "server_streaming",
        "ping_pong",
        "empty_stream",
        "status_code_and_message",
        "special_status_message",
        "unimplemented_method",
        "unimplemented_service",
        "cancel_after_begin",
        "cancel_after_first_response",
        "timeout_on_sleeping_server",
        "custom_metadata",
        "client_compressed_unary",
        "server_compressed_unary",
        "client_compressed_streaming",
        "server_compressed_streaming",
    ];

    public void Dispose()
    {
        _channel.Dispose();
    }

    public Task RunAsync(string name)
    {
        return name switch
        {
            "empty_unary" => EmptyUnaryAsync(),
            "large_unary" => LargeUnaryAsync(),
            "client_streaming" => ClientStreamingAsync(),
            "server_streaming" => ServerStreamingAsync(),
            "ping_pong" => PingPongAsync(),
            "empty_stream" => EmptyStreamAsync(),
            "status_code_and_message" => StatusCodeAndMessageAsync(),
            "special_status_message" => SpecialStatusMessageAsync(),
            "unimplemented_method" => UnimplementedMethodAsync(),
            "unimplemented_service" => UnimplementedServiceAsync(),
            "cancel_after_begin" => CancelAfterBeginAsync(),
            "cancel_after_first_response" => CancelAfterFirstResponseAsync(),
            "timeout_on_sleeping_server" => TimeoutOnSleepingServerAsync(),
            "custom_metadata" => CustomMetadataAsync(),
            "client_compressed_unary" => ClientCompressedUnaryAsync(),
            "server_compressed_unary" => ServerCompressedUnaryAsync(),
            "client_compressed_streaming" => ClientCompressedStreamingAsync(),
            "server_compressed_streaming" => ServerCompressedStreamingAsync(),
            _ => throw new ArgumentException($"There is no case \"{name}\"."),
        };
    }

    private static Payload Zeroes(int size)
    {
        return new Payload { Body = ByteString.CopyFrom(new byte[size]) };
    }

    private static StreamingOutputCallRequest Ask(int size, int payload)
    {
        return new StreamingOutputCallRequest
        {
            ResponseParameters = { new ResponseParameters { Size = size } },
            Payload = Zeroes(payload),
        };
    }

    private async Task EmptyUnaryAsync()
    {
        Assert.Equal(new Empty(), await _client.EmptyCallAsync(new Empty()));
    }

    private async Task LargeUnaryAsync()
    {
        var response = await _client.UnaryCallAsync(
            new SimpleRequest { ResponseSize = 314159, Payload = Zeroes(271828) });

        Assert.Equal(Zeroes(314159), response.Payload);
    }

    private async Task ClientStreamingAsync()
    {
        using var call = _client.StreamingInputCall();
        foreach (var size in (int[])[27182, 8, 1828, 45904])
        {
            await call.RequestStream.WriteAsync(new StreamingInputCallRequest { Payload = Zeroes(size) });
        }

        await call.RequestStream.CompleteAsync();

        Assert.Equal(74922, (await call).AggregatedPayloadSize);
    }

    private async Task ServerStreamingAsync()
    {
        int[] sizes = [31415, 9, 2653, 58979];
        var request = new StreamingOutputCallRequest();
        request.ResponseParameters.AddRange(sizes.Select(size => new ResponseParameters { Size = size }));

        using var call = _client.StreamingOutputCall(request);
        var received = new List<int>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            received.Add(response.Payload.Body.Length);
        }

        Assert.Equal(sizes, received);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private async Task PingPongAsync()
    {
        using var call = _client.FullDuplexCall();
        foreach (var (size, payload) in ((int, int)[])[(31415, 27182), (9, 8), (2653, 1828), (58979, 45904)])
        {
            await call.RequestStream.WriteAsync(Ask(size, payload));
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(size, call.ResponseStream.Current.Payload.Body.Length);
        }

        await call.RequestStream.CompleteAsync();

        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private async Task EmptyStreamAsync()
    {
        using var call = _client.FullDuplexCall();
        await call.RequestStream.CompleteAsync();

        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private async Task StatusCodeAndMessageAsync()
    {
        var status = new EchoStatus { Code = 2, Message = "test status message" };
        var unary = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryCallAsync(new SimpleRequest { ResponseStatus = status }));
        Assert.Equal(new Status(StatusCode.Unknown, status.Message), unary.Status);

        using var call = _client.FullDuplexCall();
        await call.RequestStream.WriteAsync(new StreamingOutputCallRequest { ResponseStatus = status });
        await call.RequestStream.CompleteAsync();
        var streamed = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(new Status(StatusCode.Unknown, status.Message), streamed.Status);
    }

    private async Task SpecialStatusMessageAsync()
    {
        const string Message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryCallAsync(
                new SimpleRequest { ResponseStatus = new EchoStatus { Code = 2, Message = Message } }));

        Assert.Equal(new Status(StatusCode.Unknown, Message), fault.Status);
    }

    private async Task UnimplementedMethodAsync()
    {
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnimplementedCallAsync(new Empty()));

        Assert.Equal(StatusCode.Unimplemented, fault.StatusCode);
    }

    private async Task UnimplementedServiceAsync()
    {
        var client = new UnimplementedService.UnimplementedServiceClient(_channel);
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await client.UnimplementedCallAsync(new Empty()));

        Assert.Equal(StatusCode.Unimplemented, fault.StatusCode);
    }

    private async Task CancelAfterBeginAsync()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = _client.StreamingInputCall(cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        var fault = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, fault.StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    private async Task CancelAfterFirstResponseAsync()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = _client.FullDuplexCall(cancellationToken: cancellation.Token);
        await call.RequestStream.WriteAsync(Ask(31415, 27182));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        await cancellation.CancelAsync();

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Cancelled, fault.StatusCode);
    }

    private async Task TimeoutOnSleepingServerAsync()
    {
        // The server keeps the call open, since the request stream does not end.
        using var call = _client.FullDuplexCall(deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(20));
        try
        {
            await call.RequestStream.WriteAsync(new StreamingOutputCallRequest { Payload = Zeroes(27182) });
        }
        catch (RpcException late) when (late.StatusCode == StatusCode.DeadlineExceeded)
        {
            // On a busy machine the deadline is over before the message is written; the status must be the same.
        }

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.DeadlineExceeded, fault.StatusCode);
    }

    private async Task CustomMetadataAsync()
    {
        byte[] bytes = [0xab, 0xab, 0xab];
        var headers = new Metadata
        {
            { "x-grpc-test-echo-initial", "test_initial_metadata_value" },
            { "x-grpc-test-echo-trailing-bin", bytes },
        };

        using var unary = _client.UnaryCallAsync(
            new SimpleRequest { ResponseSize = 314159, Payload = Zeroes(271828) }, headers);
        Assert.Equal(
            "test_initial_metadata_value", (await unary.ResponseHeadersAsync).GetValue("x-grpc-test-echo-initial"));
        await unary;
        Assert.Equal(bytes, unary.GetTrailers().GetValueBytes("x-grpc-test-echo-trailing-bin"));

        using var duplex = _client.FullDuplexCall(headers);
        await duplex.RequestStream.WriteAsync(Ask(314159, 271828));
        await duplex.RequestStream.CompleteAsync();
        Assert.True(await duplex.ResponseStream.MoveNext(CancellationToken.None));
        Assert.False(await duplex.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(
            "test_initial_metadata_value", (await duplex.ResponseHeadersAsync).GetValue("x-grpc-test-echo-initial"));
        Assert.Equal(bytes, duplex.GetTrailers().GetValueBytes("x-grpc-test-echo-trailing-bin"));
    }

    private async Task ClientCompressedUnaryAsync()
    {
        static SimpleRequest Request(bool compressed)
        {
            return new SimpleRequest
            {
                ExpectCompressed = new BoolValue { Value = compressed },
                ResponseSize = 314159,
                Payload = Zeroes(271828),
            };
        }

        // The probe: a server that supports the case notices that the announced compression is missing.
        var probe = await Assert.ThrowsAsync<RpcException>(async () => await _client.UnaryCallAsync(Request(true)));
        Assert.Equal(StatusCode.InvalidArgument, probe.StatusCode);

        var compressed = await _client.UnaryCallAsync(Request(true), new Metadata { { EncodingRequest, "gzip" } });
        Assert.Equal(314159, compressed.Payload.Body.Length);
        var plain = await _client.UnaryCallAsync(Request(false));
        Assert.Equal(314159, plain.Payload.Body.Length);
    }

    private async Task ServerCompressedUnaryAsync()
    {
        foreach (var wanted in (bool[])[true, false])
        {
            _recorder.Clear();
            var response = await _client.UnaryCallAsync(
                new SimpleRequest
                {
                    ResponseCompressed = new BoolValue { Value = wanted },
                    ResponseSize = 314159,
                    Payload = Zeroes(271828),
                });

            Assert.Equal(314159, response.Payload.Body.Length);
            Assert.Equal([wanted ? (byte)1 : (byte)0], _recorder.Flags);
        }
    }

    private async Task ClientCompressedStreamingAsync()
    {
        var gzip = new Metadata { { EncodingRequest, "gzip" } };
        var compressed = new StreamingInputCallRequest
        {
            ExpectCompressed = new BoolValue { Value = true },
            Payload = Zeroes(27182),
        };

        using (var probe = _client.StreamingInputCall(gzip))
        {
            probe.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
            await probe.RequestStream.WriteAsync(compressed);
            var fault = await Assert.ThrowsAsync<RpcException>(async () => await probe);
            Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        }

        using var call = _client.StreamingInputCall(gzip);
        await call.RequestStream.WriteAsync(compressed);
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(
            new StreamingInputCallRequest
            {
                ExpectCompressed = new BoolValue { Value = false },
                Payload = Zeroes(45904),
            });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(73086, (await call).AggregatedPayloadSize);
    }

    private async Task ServerCompressedStreamingAsync()
    {
        using var call = _client.StreamingOutputCall(
            new StreamingOutputCallRequest
            {
                ResponseParameters =
                {
                    new ResponseParameters { Compressed = new BoolValue { Value = true }, Size = 31415 },
                    new ResponseParameters { Compressed = new BoolValue { Value = false }, Size = 92653 },
                },
            });
        var received = new List<int>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            received.Add(response.Payload.Body.Length);
        }

        Assert.Equal([31415, 92653], received);
        Assert.Equal<byte>([1, 0], _recorder.Flags);
    }
}
