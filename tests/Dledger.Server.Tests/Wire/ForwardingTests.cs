using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Server.Tests.Wire;

public sealed class ForwardingTests
{
    [Fact]
    public async Task A_follower_serves_every_call_as_the_leader_would()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var client = cluster.Client(await cluster.FollowerAsync());

        var route = await client.QueryRouteAsync("orders");
        var assigned = await client.Messaging.QueryAssignmentAsync(
            new QueryAssignmentRequest
            {
                Topic = TestClient.Resource("orders"),
                Group = TestClient.Resource("billing"),
                Endpoints = client.AccessPoint(),
            },
            client.Options());
        var sent = await client.SendAsync(client.Message("orders", "1"), client.Message("orders", "2"));
        var received = await client.ReceiveAsync("orders", "billing");
        var acked = await client.AckAsync("orders", "billing", received[0].SystemProperties.ReceiptHandle);
        var changed = await client.Messaging.ChangeInvisibleDurationAsync(
            new ChangeInvisibleDurationRequest
            {
                Topic = TestClient.Resource("orders"),
                Group = TestClient.Resource("billing"),
                ReceiptHandle = received[1].SystemProperties.ReceiptHandle,
                InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
            },
            client.Options());
        var forwarded = await client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource("orders"),
                Group = TestClient.Resource("billing"),
                ReceiptHandle = changed.ReceiptHandle,
            },
            client.Options());
        var beat = await client.Messaging.HeartbeatAsync(
            new HeartbeatRequest { Group = TestClient.Resource("billing"), ClientType = ClientType.PushConsumer },
            client.Options());
        var parted = await client.Messaging.NotifyClientTerminationAsync(new(), client.Options());

        Assert.Equal(Code.Ok, route.Status.Code);
        Assert.All(route.MessageQueues, queue => Assert.Equal(
            cluster.PortOf(leader), queue.Broker.Endpoints.Addresses[0].Port));
        Assert.Equal(Code.Ok, assigned.Status.Code);
        var place = Assert.Single(assigned.Assignments).MessageQueue.Broker.Endpoints;
        Assert.Equal(cluster.PortOf(leader), place.Addresses[0].Port);
        Assert.Equal([0L, 1L], sent.Entries.Select(entry => entry.Offset));
        Assert.Equal(["1", "2"], received.Select(message => message.Body.ToStringUtf8()));
        Assert.Equal(Code.Ok, acked.Status.Code);
        Assert.Equal(Code.Ok, changed.Status.Code);
        Assert.Equal(Code.Ok, forwarded.Status.Code);
        Assert.Equal(Code.Ok, beat.Status.Code);
        Assert.Equal(Code.Ok, parted.Status.Code);
    }

    [Fact]
    public async Task A_node_js_client_is_told_the_node_that_it_asked()
    {
        await using var cluster = await TestCluster.StartAsync();
        var follower = await cluster.FollowerAsync();
        var client = cluster.Client(follower, "HTTP");

        var fresh = await client.QueryRouteAsync("orders");
        var known = await client.QueryRouteAsync("orders");

        foreach (var queue in fresh.MessageQueues.Concat(known.MessageQueues))
        {
            Assert.Equal(cluster.PortOf(follower), Assert.Single(queue.Broker.Endpoints.Addresses).Port);
        }
    }

    [Fact]
    public async Task A_poll_that_waits_through_a_follower_is_answered_by_a_message_and_cancelled_without_a_trace()
    {
        await using var cluster = await TestCluster.StartAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        await client.QueryRouteAsync("orders");
        using var cancel = new CancellationTokenSource();
        using (var cancelled = client.Messaging.ReceiveMessage(
            client.ReceiveRequest("orders", "billing"), client.Options(cancellationToken: cancel.Token)))
        {
            var waiting = cancelled.ResponseStream.MoveNext(CancellationToken.None);
            await client.Messaging.HeartbeatAsync(new HeartbeatRequest(), client.Options());
            await cancel.CancelAsync();
            await Assert.ThrowsAsync<RpcException>(() => waiting);
        }

        var poll = client.ReceiveAsync(
            "orders", "billing", r => r.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20)));
        await client.SendAsync(client.Message("orders"));
        var received = Assert.Single(await poll);

        Assert.Equal(1, received.SystemProperties.DeliveryAttempt);
    }

    [Fact]
    public async Task A_call_that_was_forwarded_once_is_not_forwarded_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        var options = client.Options();
        options.Headers!.Add("x-dledger-forwarded", "9");

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.Messaging.SendMessageAsync(
            new SendMessageRequest { Messages = { client.Message("orders") } }, options));

        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.Equal(
            $"{await cluster.LeaderAsync()}",
            failure.Trailers.Single(trailer => trailer.Key == "x-dledger-not-leader").Value);
    }

    [Fact]
    public async Task When_the_leader_goes_calls_wait_for_the_next_one_and_the_route_names_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        var first = await cluster.LeaderAsync();
        var client = cluster.Client(await cluster.FollowerAsync());
        await client.QueryRouteAsync("orders");
        await client.SendAsync(client.Message("orders", "before"));

        var stopping = cluster.StopNodeAsync(first);
        var codes = new List<Code>();
        for (var count = 0; count < 20; count++)
        {
            codes.Add((await client.SendAsync(client.Message("orders", $"{count}"))).Status.Code);
        }

        await stopping;
        var second = await cluster.LeaderAsync();
        var route = await client.QueryRouteAsync("orders");

        Assert.NotEqual(first, second);
        Assert.All(codes, code => Assert.Equal(Code.Ok, code));
        Assert.All(route.MessageQueues, queue => Assert.Equal(
            cluster.PortOf(second), queue.Broker.Endpoints.Addresses[0].Port));
        Assert.All(route.MessageQueues, queue => Assert.Equal("dledger-0", queue.Broker.Name));
    }

    [Fact]
    public async Task Without_a_majority_a_send_gets_an_honest_code_before_its_deadline()
    {
        await using var cluster = await TestCluster.StartAsync();
        var left = await cluster.LeaderAsync();
        var client = cluster.Client(left);
        await client.QueryRouteAsync("orders");
        foreach (var node in cluster.Running.Where(node => node != left).ToArray())
        {
            await cluster.StopNodeAsync(node);
        }

        var response = await client.Messaging.SendMessageAsync(
            new SendMessageRequest { Messages = { client.Message("orders") } },
            client.Options(TimeSpan.FromSeconds(3)));

        Assert.Contains(response.Status.Code, new[] { Code.HaNotAvailable, Code.SlavePersistenceTimeout });
        Assert.Equal(response.Status.Code, Assert.Single(response.Entries).Status.Code);
    }

    [Fact]
    public async Task Any_node_shows_the_cluster_and_moves_the_leadership()
    {
        await using var cluster = await TestCluster.StartAsync();
        var follower = await cluster.FollowerAsync();
        var client = cluster.Client(follower);

        var before = await client.Admin.ClusterStatusAsync(new(), client.Options());
        var moved = await client.Admin.TransferLeadershipAsync(
            new TransferLeadershipRequest { TargetNodeId = follower }, client.Options());
        var leader = await cluster.LeaderAsync();
        var unknown = await client.Admin.TransferLeadershipAsync(
            new TransferLeadershipRequest { TargetNodeId = 77 }, client.Options());
        await cluster.StopNodeAsync(cluster.Running.First(node => node != follower));
        var after = await client.Admin.ClusterStatusAsync(new(), client.Options());

        Assert.Equal([1, 2, 3], before.Nodes.Select(node => node.NodeId));
        Assert.Single(before.Nodes, node => node.Role == NodeRole.Leader);
        Assert.All(before.Nodes, node => Assert.Equal("ok", node.State));
        Assert.All(before.Nodes, node => Assert.InRange(node.LagBytes, 0, 1 << 20));
        Assert.Equal(AdminCode.AdminOk, moved.Status.Code);
        Assert.Equal(follower, leader);
        Assert.Equal(AdminCode.AdminNotFound, unknown.Status.Code);
        Assert.Single(after.Nodes, node => node.Role == NodeRole.Unreachable);
    }
}
