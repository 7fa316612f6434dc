using System.Net;
using System.Net.Sockets;
using Dledger.GrpcCompat.Tests.Interop;
using Dledger.GrpcCompat.Tests.Server;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.Tests.Client;

/// <summary>Calls over real connections: how they end, and what the caller sees of it.</summary>
public sealed class CallTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ScriptedService _service = new();
    private InteropServer _server = null!;
    private GrpcChannel _channel = null!;
    private TestService.TestServiceClient _client = null!;

    public async Task InitializeAsync()
    {
        _server = await InteropServer.StartAsync<ScriptedService>(
            services: services => services.AddSingleton(_service));
        _channel = GrpcChannel.ForAddress(_server.Address);
        _client = new TestService.TestServiceClient(_channel);
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = listener.LocalEndpoint;
        listener.Stop();
        using var channel = GrpcChannel.ForAddress($"http://{address}");

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await new TestService.TestServiceClient(channel).UnaryCallAsync(new SimpleRequest()));

        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
    }

    [Fact]
    public async Task A_connection_that_breaks_during_a_call_is_unavailable()
    {
        _service.Output = async (_, responses, context) =>
        {
            await responses.WriteAsync(new StreamingOutputCallResponse());
            context.GetHttpContext().Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        };
        using var call = _client.StreamingOutputCall(new StreamingOutputCallRequest());

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () =>
            {
                while (await call.ResponseStream.MoveNext(CancellationToken.None))
                {
                }
            });

        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
    }

    [Theory]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x7, StatusCode.Unavailable)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    public async Task A_reset_stream_becomes_the_status_of_grpcs_table(int code, StatusCode status)
    {
        _service.Output = async (_, responses, context) =>
        {
            await responses.WriteAsync(new StreamingOutputCallResponse());
            context.GetHttpContext().Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
        };
        using var call = _client.StreamingOutputCall(new StreamingOutputCallRequest());

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () =>
            {
                while (await call.ResponseStream.MoveNext(CancellationToken.None))
                {
                }
            });

        Assert.Equal(status, fault.StatusCode);
    }

    [Fact]
    public async Task A_cancelled_token_cancels_before_during_and_not_after_the_call()
    {
        using var source = new CancellationTokenSource();
        using var finished = _client.UnaryCallAsync(new SimpleRequest(), cancellationToken: source.Token);
        await finished;
        _service.Unary = async (_, context) =>
        {
            await source.CancelAsync();
            await WaitForAsync(context.CancellationToken);
            return new SimpleResponse();
        };

        var during = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryCallAsync(new SimpleRequest(), cancellationToken: source.Token));
        var before = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryCallAsync(new SimpleRequest(), cancellationToken: source.Token));

        Assert.Equal(StatusCode.Cancelled, during.StatusCode);
        Assert.Equal(StatusCode.Cancelled, before.StatusCode);
        Assert.Equal(StatusCode.OK, finished.GetStatus().StatusCode);
    }

    [Fact]
    public async Task When_asked_for_cancellation_and_deadline_throw_operation_canceled()
    {
        using var channel = GrpcChannel.ForAddress(
            _server.Address, new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true });
        var client = new TestService.TestServiceClient(channel);
        _service.Unary = async (_, context) =>
        {
            await WaitForAsync(context.CancellationToken);
            return new SimpleResponse();
        };
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        var cancelled = await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await client.UnaryCallAsync(new SimpleRequest(), cancellationToken: source.Token));
        await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await client.UnaryCallAsync(
                new SimpleRequest(), deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(50)));

        Assert.Equal(source.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task Cancelling_a_read_cancels_the_call()
    {
        _service.Duplex = (_, _, context) => WaitForAsync(context.CancellationToken);
        using var call = _client.FullDuplexCall();
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(source.Token));

        Assert.Equal(StatusCode.Cancelled, fault.StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new StreamingOutputCallRequest()));
    }

    [Fact]
    public async Task A_deadline_in_the_past_fails_without_asking_the_server()
    {
        var asked = false;
        _service.Unary = (_, _) =>
        {
            asked = true;
            return Task.FromResult(new SimpleResponse());
        };

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryCallAsync(new SimpleRequest(), deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, fault.StatusCode);
        Assert.False(asked);
    }

    [Fact]
    public void A_deadline_in_local_time_is_refused()
    {
        Assert.Throws<InvalidOperationException>(
            () => _client.UnaryCallAsync(new SimpleRequest(), deadline: DateTime.Now.AddHours(1)));
    }

    [Fact]
    public async Task A_call_has_no_status_before_its_end_and_the_disposed_one_after_being_disposed()
    {
        _service.Duplex = (_, _, context) => WaitForAsync(context.CancellationToken);
        var call = _client.FullDuplexCall();
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());

        call.Dispose();

        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseHeadersAsync);
    }

    [Fact]
    public async Task Headers_arrive_before_the_first_message()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Duplex = async (_, responses, context) =>
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "x-early", "1" } });
            await release.Task.WaitAsync(context.CancellationToken);
            await responses.WriteAsync(new StreamingOutputCallResponse());
        };
        using var call = _client.FullDuplexCall();

        Assert.Equal("1", (await call.ResponseHeadersAsync.WaitAsync(Patience)).GetValue("x-early"));

        release.SetResult();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_server_that_ends_early_stops_the_writer_with_its_status()
    {
        _service.Input = (_, _) => throw new RpcException(new Status(StatusCode.FailedPrecondition, "enough"));
        using var call = _client.StreamingInputCall();
        var message = new StreamingInputCallRequest { Payload = Zeroes(100_000) };

        var answer = await Assert.ThrowsAsync<RpcException>(async () => await call);
        var write = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(message));

        Assert.Equal(new Status(StatusCode.FailedPrecondition, "enough"), answer.Status);
        Assert.Equal(answer.Status, write.Status);
    }

    [Fact]
    public async Task A_message_written_after_the_end_of_the_request_stream_is_refused()
    {
        using var call = _client.StreamingInputCall();
        await call.RequestStream.CompleteAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => call.RequestStream.WriteAsync(new StreamingInputCallRequest()));
    }

    [Fact]
    public async Task A_message_above_the_sending_limit_leaves_the_stream_usable()
    {
        _service.Input = async (requests, _) =>
        {
            var count = 0;
            while (await requests.MoveNext())
            {
                count++;
            }

            return new StreamingInputCallResponse { AggregatedPayloadSize = count };
        };
        using var channel = GrpcChannel.ForAddress(
            _server.Address, new GrpcChannelOptions { MaxSendMessageSize = 100 });
        using var call = new TestService.TestServiceClient(channel).StreamingInputCall();
        var large = new StreamingInputCallRequest { Payload = Zeroes(101) };

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(large));
        await call.RequestStream.WriteAsync(new StreamingInputCallRequest());
        await call.RequestStream.CompleteAsync();

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        Assert.Equal(1, (await call).AggregatedPayloadSize);
    }

    [Fact]
    public async Task Messages_with_a_buffer_hint_arrive_with_the_next_one_without()
    {
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Duplex = async (requests, _, _) =>
        {
            for (var count = 0; count < 100; count++)
            {
                Assert.True(await requests.MoveNext());
            }

            received.SetResult();
        };
        using var call = _client.FullDuplexCall();

        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        for (var count = 0; count < 99; count++)
        {
            await call.RequestStream.WriteAsync(new StreamingOutputCallRequest());
        }

        call.RequestStream.WriteOptions = null;
        await call.RequestStream.WriteAsync(new StreamingOutputCallRequest());

        await received.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Disposing_the_channel_ends_its_calls_and_refuses_new_ones()
    {
        _service.Duplex = (_, _, context) => WaitForAsync(context.CancellationToken);
        using var call = _client.FullDuplexCall();
        var read = call.ResponseStream.MoveNext(CancellationToken.None);

        _channel.Dispose();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
        Assert.Throws<ObjectDisposedException>(() => _client.UnaryCallAsync(new SimpleRequest()));
    }

    [Fact]
    public async Task A_blocking_call_returns_the_response_and_throws_the_status()
    {
        _service.Unary = (request, _) => request.ResponseSize == 0
            ? Task.FromResult(new SimpleResponse { Username = "abc" })
            : throw new RpcException(new Status(StatusCode.NotFound, ""));

        await Task.Run(
            () =>
            {
                Assert.Equal("abc", _client.UnaryCall(new SimpleRequest()).Username);
                var fault = Assert.Throws<RpcException>(
                    () => _client.UnaryCall(new SimpleRequest { ResponseSize = 1 }));
                Assert.Equal(StatusCode.NotFound, fault.StatusCode);
            });
    }

    [Fact]
    public async Task Two_hundred_large_calls_at_a_time_all_get_their_own_answer()
    {
        _service.Unary = (request, _) => Task.FromResult(
            new SimpleResponse { Username = request.ResponseSize.ToString(), Payload = request.Payload });
        var calls = Enumerable.Range(0, 200).Select(
            async index =>
            {
                var body = new byte[100_000 + index];
                Array.Fill(body, (byte)index);
                var response = await _client.UnaryCallAsync(
                    new SimpleRequest
                    {
                        ResponseSize = index,
                        Payload = new Payload { Body = ByteString.CopyFrom(body) },
                    });
                Assert.Equal(index.ToString(), response.Username);
                Assert.True(response.Payload.Body.Span.SequenceEqual(body));
            });

        await Task.WhenAll(calls).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_server_that_stops_lets_running_calls_end_and_takes_no_new_ones()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Unary = async (request, _) =>
        {
            if (request.ResponseSize == 0)
            {
                return new SimpleResponse();
            }

            begun.TrySetResult();
            await release.Task;
            return new SimpleResponse { Username = "late" };
        };
        using var running = _client.UnaryCallAsync(new SimpleRequest { ResponseSize = 1 });
        await begun.Task.WaitAsync(Patience);

        var stopping = _server.StopAsync(CancellationToken.None);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () =>
            {
                // Until GOAWAY has arrived and the listener is closed, a call may still get through.
                while (true)
                {
                    await _client.UnaryCallAsync(new SimpleRequest(), deadline: DateTime.UtcNow + Patience);
                }
            });
        release.SetResult();

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Equal("late", (await running).Username);
        await stopping.WaitAsync(Patience);
    }

    private static Payload Zeroes(int size)
    {
        return new Payload { Body = ByteString.CopyFrom(new byte[size]) };
    }

    private static async Task WaitForAsync(CancellationToken signal)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = signal.Register(() => fired.TrySetResult());
        await fired.Task.WaitAsync(Patience, CancellationToken.None);
    }
}
