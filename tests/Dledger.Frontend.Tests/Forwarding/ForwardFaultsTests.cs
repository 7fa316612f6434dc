using System.Net;
using System.Net.Sockets;
using Apache.Rocketmq.V2;
using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Primitives;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Frontend.Tests.Forwarding;

public sealed class ForwardFaultsTests
{
    [Fact]
    public async Task A_node_that_cannot_be_reached_has_done_nothing()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();

        var failure = await FailAsync(port);

        Assert.Equal(ForwardFault.NotDone, ForwardFaults.Of(failure));
    }

    [Fact]
    public async Task A_node_whose_connection_breaks_may_have_done_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var breaking = BreakAsync(listener);

        var failure = await FailAsync(((IPEndPoint)listener.LocalEndpoint).Port);
        await breaking;

        Assert.Equal(ForwardFault.Unknown, ForwardFaults.Of(failure));
    }

    [Fact]
    public void A_node_that_does_not_lead_has_done_nothing_and_says_who_leads()
    {
        var failure = ForwardFaults.NotLeader(new NodeId(7));

        Assert.Equal(ForwardFault.NotDone, ForwardFaults.Of(failure));
        Assert.Equal("7", Assert.Single(failure.Trailers).Value);
    }

    [Theory]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Cancelled)]
    public void Any_other_failure_leaves_the_outcome_open(StatusCode code) =>
        Assert.Equal(ForwardFault.Unknown, ForwardFaults.Of(new RpcException(new Grpc.Core.Status(code, ""))));

    [Theory]
    [InlineData(BrokerError.NotLeader)]
    [InlineData(BrokerError.Busy)]
    [InlineData(BrokerError.Unavailable)]
    [InlineData(BrokerError.Stopping)]
    [InlineData(BrokerError.InvalidHandle)]
    public void A_try_that_may_have_had_its_effect_is_not_forgotten_by_a_later_one_that_did_nothing(BrokerError last)
    {
        var unknown = new BrokerFailure(BrokerError.OutcomeUnknown, "the answer was lost");

        Assert.Equal(unknown, LeaderRouter.RefusalOf(new BrokerFailure(last, "nothing was done"), unknown));
        Assert.Equal(last, LeaderRouter.RefusalOf(new BrokerFailure(last, "nothing was done"), unknown: null).Error);
    }

    [Theory]
    [InlineData(BrokerError.NotLeader, true, true)]
    [InlineData(BrokerError.Unavailable, true, true)]
    [InlineData(BrokerError.Stopping, true, true)]
    [InlineData(BrokerError.OutcomeUnknown, true, false)]
    [InlineData(BrokerError.Busy, false, false)]
    [InlineData(BrokerError.TopicNotFound, false, false)]
    [InlineData(BrokerError.InvalidHandle, false, false)]
    public void A_call_is_tried_again_only_while_that_cannot_do_it_twice(
        BrokerError error, bool whenRepeatable, bool whenNot)
    {
        Assert.Equal(whenRepeatable, LeaderRouter.MayRepeat(error, isRepeatable: true));
        Assert.Equal(whenNot, LeaderRouter.MayRepeat(error, isRepeatable: false));
    }

    [Theory]
    [InlineData(Code.Ok, false)]
    [InlineData(Code.InvalidReceiptHandle, true)]
    public void A_refused_change_of_a_lease_may_follow_from_an_earlier_try_that_let_it_end(Code code, bool saysNotDone)
    {
        var handler = new ChangeInvisibleDurationHandler(null!, null!);
        var answer = new ChangeInvisibleDurationResponse { Status = new Apache.Rocketmq.V2.Status { Code = code } };

        Assert.Equal(saysNotDone, handler.SaysNothingWasDone(answer));
    }

    private static async Task<RpcException> FailAsync(int port)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new MessagingService.MessagingServiceClient(channel);
        return await Assert.ThrowsAsync<RpcException>(async () => await client.SendMessageAsync(
            new SendMessageRequest(), deadline: DateTime.UtcNow.AddSeconds(20)));
    }

    /// <summary>Completes the HTTP/2 handshake, waits for the request, and breaks off.</summary>
    private static async Task BreakAsync(TcpListener listener)
    {
        using var peer = await listener.AcceptSocketAsync();

        // An empty SETTINGS frame, and the acknowledgement of the client's.
        await peer.SendAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0 });
        var bytes = new byte[4_096];
        var seen = new List<byte>();
        while (!HasHeaders(seen))
        {
            var count = await peer.ReceiveAsync(bytes);
            Assert.NotEqual(0, count);
            seen.AddRange(bytes.AsSpan(0, count));
        }

        peer.LingerState = new LingerOption(true, 0);
    }

    /// <summary>A HEADERS frame (type 1) on stream 1 has arrived.</summary>
    private static bool HasHeaders(List<byte> seen)
    {
        // Behind the client's preface of 24 bytes frames follow each other.
        for (var start = 24; start + 9 <= seen.Count;)
        {
            if (seen[start + 3] == 1)
            {
                return true;
            }

            start += 9 + ((seen[start] << 16) | (seen[start + 1] << 8) | seen[start + 2]);
        }

        return false;
    }
}
