using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Grpc.Core;

namespace Dledger.Conformance.Tests.Items;

public sealed class LifecycleItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData(false, new[] { -1 })]
    [InlineData(true, new[] { 0, 1, 2 })]
    public async Task Item_58_an_ordered_group_is_assigned_each_queue_and_another_all_at_once(bool fifo, int[] expected)
    {
        var topic = await shared.NewTopicAsync(3);
        var group = await shared.NewGroupAsync(fifo);

        var response = await Client.AssignmentAsync(topic, group);

        Assert.Equal(Code.Ok, response.Status.Code);
        Assert.Equal(expected, response.Assignments.Select(assignment => assignment.MessageQueue.Id));
        Assert.All(response.Assignments, assignment =>
        {
            Assert.Equal(topic, assignment.MessageQueue.Topic.Name);
            Assert.Equal(Permission.ReadWrite, assignment.MessageQueue.Permission);
            Assert.NotEmpty(assignment.MessageQueue.Broker.Name);
            Assert.NotEmpty(assignment.MessageQueue.Broker.Endpoints.Addresses);
        });
    }

    [Fact]
    public async Task Item_59_a_heartbeat_of_an_unknown_client_is_answered_with_ok()
    {
        using var stranger = shared.NewClient();

        var response = await stranger.HeartbeatAsync(Unique.Name("unknown"));

        Assert.Equal(Code.Ok, response.Status.Code);
    }

    [Theory]
    [InlineData(LiteSubscriptionAction.PartialAdd)]
    [InlineData(LiteSubscriptionAction.PartialRemove)]
    [InlineData(LiteSubscriptionAction.CompleteAdd)]
    [InlineData(LiteSubscriptionAction.CompleteRemove)]
    public async Task Item_63_lite_subscriptions_are_answered_in_the_body(LiteSubscriptionAction action)
    {
        var topic = await shared.NewTopicAsync(1, MessageType.Lite);
        var group = await shared.NewGroupAsync();

        var response = await Client.Messaging.SyncLiteSubscriptionAsync(
            new SyncLiteSubscriptionRequest
            {
                Action = action,
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                LiteTopicSet = { "lite" },
            },
            Client.Options());

        Assert.Equal(Code.Ok, response.Status.Code);
    }

    [Fact]
    public async Task Item_64_the_offset_calls_never_hang()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 2);
        var queue = new MessageQueue { Topic = TestClient.Resource(topic), Id = 0 };
        var named = TestClient.Resource(group);
        var options = Client.Options(TimeSpan.FromSeconds(10));

        Code?[] codes =
        [
            await CodeOfAsync(async () => (await Client.Messaging.QueryOffsetAsync(
                new QueryOffsetRequest { MessageQueue = queue, QueryOffsetPolicy = QueryOffsetPolicy.End }, options)).Status),
            await CodeOfAsync(async () => (await Client.Messaging.UpdateOffsetAsync(
                new UpdateOffsetRequest { Group = named, MessageQueue = queue, Offset = 1 }, options)).Status),
            await CodeOfAsync(async () => (await Client.Messaging.GetOffsetAsync(
                new GetOffsetRequest { Group = named, MessageQueue = queue }, options)).Status),
            await CodeOfAsync(async () =>
            {
                using var pull = Client.Messaging.PullMessage(
                    new PullMessageRequest
                    {
                        Group = named,
                        MessageQueue = queue,
                        Offset = 0,
                        BatchSize = 2,
                        FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
                        LongPollingTimeout = Calls.HalfSecond,
                    },
                    options);
                Assert.True(await pull.ResponseStream.MoveNext(CancellationToken.None));
                return pull.ResponseStream.Current.Status;
            }),
        ];

        Assert.All(codes, code => Assert.True(code is null or Code.Ok, $"{code}"));
    }

    /// <summary>The code of the answer; null for gRPC's UNIMPLEMENTED, and nothing else.</summary>
    private static async Task<Code?> CodeOfAsync(Func<Task<Apache.Rocketmq.V2.Status>> call)
    {
        try
        {
            return (await call()).Code;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unimplemented)
        {
            return null;
        }
    }
}
