#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Tests.Interop;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>Deadlines on the server's side, on a clock that the test moves.</summary>
public sealed class DeadlineTests
{
    private const string DuplexPath = "/grpc.testing.TestService/FullDuplexCall";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly ScriptedService _service = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory]
    [InlineData("10S", 9, 1)]
    [InlineData("5000H", 4999 * 3600, 3600)]
    public async Task The_client_gets_deadline_exceeded_when_the_time_is_over_and_not_before(
        string timeout, int wait, int rest)
    {
        CancellationToken seen = default;
        _service.Duplex = async (requests, _, context) =>
        {
            seen = context.CancellationToken;
            _begun.SetResult();
            _ended.SetResult(await Record.ExceptionAsync(() => requests.MoveNext(context.CancellationToken)));
        };
        await using var server = await StartAsync();
        using var raw = new RawCall(server.Address);

        var answer = raw.SendAsync(DuplexPath, new OpenContent(), ("grpc-timeout", timeout));
        await _begun.Task.WaitAsync(Patience);
        for (var waited = 0; waited < wait; waited += Math.Max(1, wait / 10))
        {
            _time.Advance(TimeSpan.FromSeconds(Math.Max(1, wait / 10)));
        }

        Assert.False(seen.IsCancellationRequested);
        Assert.Single(_time.Armed);
        _time.Advance(TimeSpan.FromSeconds(rest + Math.Max(1, wait / 10)));

        Assert.Equal((int)StatusCode.DeadlineExceeded, (await answer.WaitAsync(Patience)).Status);
        Assert.IsAssignableFrom<OperationCanceledException>(await _ended.Task.WaitAsync(Patience));
        Assert.Empty(_time.Armed);
    }

    [Fact]
    public async Task A_handler_that_ignores_the_deadline_can_neither_write_nor_change_the_status()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _service.Duplex = async (_, responses, context) =>
        {
            await responses.WriteAsync(new StreamingOutputCallResponse());
            _begun.SetResult();
            await release.Task;
            _ended.SetResult(
                await Record.ExceptionAsync(() => responses.WriteAsync(new StreamingOutputCallResponse())));
            context.ResponseTrailers.Add("x-late", "1");
            throw new RpcException(new Status(StatusCode.DataLoss, "late"));
        };
        await using var server = await StartAsync();
        using var raw = new RawCall(server.Address);

        var sending = raw.SendAsync(DuplexPath, new OpenContent(), ("grpc-timeout", "10S"));
        await _begun.Task.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(10));
        var answer = await sending.WaitAsync(Patience);
        release.SetResult();

        Assert.Equal((int)StatusCode.DeadlineExceeded, answer.Status);
        Assert.Equal(5, answer.Body.Length);
        Assert.DoesNotContain("x-late", answer.Trailers.Keys);
        Assert.IsType<InvalidOperationException>(await _ended.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_write_held_by_flow_control_at_the_deadline_is_ended_by_a_reset()
    {
        var large = new StreamingOutputCallResponse
        {
            Payload = new Payload { Body = ByteString.CopyFrom(new byte[8_000_000]) },
        };
        _service.Output = async (_, responses, context) =>
        {
            var write = responses.WriteAsync(large);
            Assert.False(write.IsCompleted);
            _begun.SetResult();
            _ended.SetResult(await Record.ExceptionAsync(() => write));
            Assert.True(context.CancellationToken.IsCancellationRequested);
        };
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress(
            server.Address, new GrpcChannelOptions { MaxReceiveMessageSize = null, Time = _time });
        using var call = new TestService.TestServiceClient(channel).StreamingOutputCall(
            new StreamingOutputCallRequest(), deadline: _time.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(10));

        await _begun.Task.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(11));

        var fault = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.DeadlineExceeded, fault.StatusCode);
        await _ended.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_call_that_ends_in_time_leaves_no_timer()
    {
        await using var server = await StartAsync();
        using var raw = new RawCall(server.Address);

        var answer = await raw.SendAsync(DuplexPath, [], ("grpc-timeout", "10S"));

        Assert.Equal(0, answer.Status);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var timeout = new CancellationTokenSource(Patience);
        while (_time.Armed.Count > 0)
        {
            await poll.WaitForNextTickAsync(timeout.Token);
        }
    }

    private Task<InteropServer> StartAsync()
    {
        return InteropServer.StartAsync<ScriptedService>(
            services: services => services.AddSingleton(_service).AddSingleton<TimeProvider>(_time));
    }

    /// <summary>A request stream that stays open.</summary>
    private sealed class OpenContent : HttpContent
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
}
#endif
