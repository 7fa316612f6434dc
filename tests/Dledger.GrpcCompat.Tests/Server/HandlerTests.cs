using Dledger.GrpcCompat.Tests.Interop;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>What handlers may rely on.</summary>
public sealed class HandlerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ScriptedService _service = new();

    [Fact]
    public async Task An_unexpected_exception_becomes_unknown_without_its_text()
    {
        _service.Unary = (_, _) => throw new InvalidOperationException("secret");
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest()));

        Assert.Equal(StatusCode.Unknown, fault.StatusCode);
        Assert.DoesNotContain("secret", fault.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_detailed_errors_the_text_of_the_exception_is_sent()
    {
        _service.Unary = (_, _) => throw new InvalidOperationException("secret");
        await using var server = await StartAsync(options => options.EnableDetailedErrors = true);
        using var channel = GrpcChannel.ForAddress(server.Address);

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest()));

        Assert.Contains("InvalidOperationException: secret", fault.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_that_the_handler_sets_and_a_null_response_are_not_ok()
    {
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);
        _service.Unary = (_, context) =>
        {
            context.Status = new Status(StatusCode.Aborted, "why");
            return Task.FromResult(new SimpleResponse());
        };
        var aborted = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest()));
        Assert.Equal(new Status(StatusCode.Aborted, "why"), aborted.Status);

        _service.Unary = (_, _) => Task.FromResult<SimpleResponse>(null!);
        var empty = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest()));
        Assert.Equal(StatusCode.Cancelled, empty.StatusCode);
    }

    [Fact]
    public async Task A_trailer_that_http_cannot_carry_ends_only_its_own_call()
    {
        _service.Unary = (request, context) =>
        {
            context.ResponseTrailers.Add("x-text", request.ResponseSize == 0 ? "ok" : "line\nbreak");
            return Task.FromResult(new SimpleResponse());
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var open = Client(channel).FullDuplexCall();

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest { ResponseSize = 1 }));
        Assert.Equal(StatusCode.Internal, fault.StatusCode);

        Assert.Equal("ok", await TrailerAsync(channel, "x-text"));
        Assert.False(await open.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_client_that_cancels_fires_the_token_of_the_handler()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Duplex = async (requests, _, context) =>
        {
            using var registration = context.CancellationToken.Register(() => cancelled.TrySetResult());
            begun.SetResult();
            await requests.MoveNext(CancellationToken.None);
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);

        var call = Client(channel).FullDuplexCall();
        await begun.Task.WaitAsync(Patience);
        call.Dispose();

        await cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task After_the_client_has_cancelled_writes_are_refused()
    {
        var refused = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Output = async (_, responses, context) =>
        {
            await responses.WriteAsync(new StreamingOutputCallResponse());
            await WaitForAsync(context.CancellationToken);
            refused.SetResult(
                await Record.ExceptionAsync(() => responses.WriteAsync(new StreamingOutputCallResponse())));
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);

        using (var call = Client(channel).StreamingOutputCall(new StreamingOutputCallRequest()))
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        }

        Assert.IsType<InvalidOperationException>(await refused.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Two_writes_at_a_time_are_refused()
    {
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Output = async (_, responses, context) =>
        {
            var large = new StreamingOutputCallResponse
            {
                Payload = new Payload { Body = ByteString.CopyFrom(new byte[4_000_000]) },
            };

            // Larger than the client's window, so it stays under way until the client reads.
            var first = responses.WriteAsync(large);
            outcome.SetResult(await Record.ExceptionAsync(() => responses.WriteAsync(large)));
            await first;
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = Client(channel).StreamingOutputCall(new StreamingOutputCallRequest());

        Assert.IsType<InvalidOperationException>(await outcome.Task.WaitAsync(Patience));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_message_above_the_sending_limit_fails_in_the_handler()
    {
        _service.Unary = (_, _) => Task.FromResult(
            new SimpleResponse { Payload = new Payload { Body = ByteString.CopyFrom(new byte[2000]) } });
        await using var server = await StartAsync(options => options.MaxSendMessageSize = 1000);
        using var channel = GrpcChannel.ForAddress(server.Address);

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(channel).UnaryCallAsync(new SimpleRequest()));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
    }

    [Fact]
    public async Task Messages_with_a_buffer_hint_arrive_at_the_latest_with_the_end_of_the_call()
    {
        _service.Output = async (_, responses, _) =>
        {
            responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
            for (var count = 0; count < 1000; count++)
            {
                await responses.WriteAsync(new StreamingOutputCallResponse());
            }
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = Client(channel).StreamingOutputCall(new StreamingOutputCallRequest());

        var received = 0;
        await foreach (var _ in call.ResponseStream.ReadAllAsync())
        {
            received++;
        }

        Assert.Equal(1000, received);
    }

    [Fact]
    public async Task Configured_compression_is_used_for_clients_that_accept_it_and_skipped_for_others()
    {
        _service.Unary = (_, _) => Task.FromResult(
            new SimpleResponse { Payload = new Payload { Body = ByteString.CopyFrom(new byte[5000]) } });
        await using var server = await StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        using var raw = new RawCall(server.Address);
        const string Path = "/grpc.testing.TestService/UnaryCall";

        var plain = await raw.SendAsync(Path, RawCall.Frame([]));
        var compressed = await raw.SendAsync(Path, RawCall.Frame([]), ("grpc-accept-encoding", "identity, gzip"));

        Assert.Equal(0, plain.Body[0]);
        Assert.DoesNotContain("grpc-encoding", plain.Headers.Keys);
        Assert.Equal(1, compressed.Body[0]);
        Assert.Equal("gzip", compressed.Headers["grpc-encoding"]);
        Assert.True(compressed.Body.Length < 200);
    }

    [Fact]
    public async Task An_unknown_compression_algorithm_is_refused_when_the_service_is_mapped()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StartAsync(options => options.ResponseCompressionAlgorithm = "zip"));

        Assert.Contains("\"zip\"", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_context_names_method_host_and_peer_and_leads_to_the_http_request()
    {
        var seen = "";
        _service.Unary = (_, context) =>
        {
            seen = $"{context.Method} {context.Host} {context.Peer}";
            Assert.Equal(context.GetHttpContext().Request.Path, context.Method);
            Assert.False(context.AuthContext.IsPeerAuthenticated);
            Assert.Equal(DateTime.MaxValue, context.Deadline);
            var metadata = context.GetHttpContext().GetEndpoint()!.Metadata.GetMetadata<GrpcMethodMetadata>()!;
            Assert.Equal("UnaryCall", metadata.Method.Name);
            return Task.FromResult(new SimpleResponse());
        };
        await using var server = await StartAsync(options => options.EnableDetailedErrors = true);
        using var channel = GrpcChannel.ForAddress(server.Address);

        await Client(channel).UnaryCallAsync(new SimpleRequest());

        Assert.StartsWith(
            $"/grpc.testing.TestService/UnaryCall {server.Address.Authority} ipv4:127.0.0.1:",
            seen,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_is_not_registered_is_made_and_disposed_for_each_call()
    {
        var counter = new LifetimeCounter();
        await using var server = await InteropServer.StartAsync<CountedService>(
            services: services => services.AddSingleton(counter));
        using var channel = GrpcChannel.ForAddress(server.Address);

        for (var call = 1; call <= 3; call++)
        {
            await Client(channel).EmptyCallAsync(new Empty());
            Assert.Equal(call, counter.Made);
        }

        await WaitUntilAsync(() => counter.Disposed == 3);
    }

    [Fact]
    public async Task A_silent_client_stream_outlives_the_servers_guard_against_slow_requests()
    {
        _service.Input = async (requests, _) =>
        {
            Assert.True(await requests.MoveNext());
            Assert.True(await requests.MoveNext());
            return new StreamingInputCallResponse { AggregatedPayloadSize = 2 };
        };
        await using var server = await InteropServer.StartAsync<ScriptedService>(
            services: services =>
            {
                services.AddSingleton(_service);
                services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(
                    kestrel => kestrel.Limits.MinRequestBodyDataRate = new(1_000_000, TimeSpan.FromSeconds(1.5)));
            },
            application: application => Microsoft.AspNetCore.Builder.EndpointRouteBuilderExtensions.MapPost(
                application,
                "/guarded",
                async context => await context.Request.Body.ReadExactlyAsync(new byte[1])));
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = Client(channel).StreamingInputCall();
        await call.RequestStream.WriteAsync(new StreamingInputCallRequest());

        // A silent request that is not gRPC's shows when the guard has struck: it began after ours and is broken first.
        using var raw = new RawCall(server.Address);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => raw.SendAsync("/guarded", new SilentContent()));

        await call.RequestStream.WriteAsync(new StreamingInputCallRequest());
        Assert.Equal(2, (await call.ResponseAsync.WaitAsync(Patience)).AggregatedPayloadSize);
    }

    private static TestService.TestServiceClient Client(GrpcChannel channel)
    {
        return new TestService.TestServiceClient(channel);
    }

    private static async Task<string?> TrailerAsync(GrpcChannel channel, string key)
    {
        using var call = Client(channel).UnaryCallAsync(new SimpleRequest());
        await call;
        return call.GetTrailers().GetValue(key);
    }

    private static async Task WaitForAsync(CancellationToken signal)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = signal.Register(() => fired.TrySetResult());
        await fired.Task.WaitAsync(Patience, CancellationToken.None);
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            await poll.WaitForNextTickAsync(timeout.Token);
        }
    }

    private Task<InteropServer> StartAsync(Action<GrpcServiceOptions>? configure = null)
    {
        return InteropServer.StartAsync<ScriptedService>(configure, services => services.AddSingleton(_service));
    }

    private sealed class SilentContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.FlushAsync();
            await new TaskCompletionSource().Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class LifetimeCounter
    {
        private int _made;
        private int _disposed;

        public int Made => Volatile.Read(ref _made);

        public int Disposed => Volatile.Read(ref _disposed);

        public void CountMade()
        {
            Interlocked.Increment(ref _made);
        }

        public void CountDisposed()
        {
            Interlocked.Increment(ref _disposed);
        }
    }

    private sealed class CountedService : TestService.TestServiceBase, IAsyncDisposable
    {
        private readonly LifetimeCounter _counter;

        public CountedService(LifetimeCounter counter)
        {
            _counter = counter;
            counter.CountMade();
        }

        public override Task<Empty> EmptyCall(Empty request, ServerCallContext context)
        {
            return Task.FromResult(new Empty());
        }

        public ValueTask DisposeAsync()
        {
            _counter.CountDisposed();
            return ValueTask.CompletedTask;
        }
    }
}
