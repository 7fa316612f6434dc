using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Server.Tests.Wire;

public sealed class PriorityTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Urgent_messages_overtake_and_a_priority_above_the_highest_is_kept_as_sent()
    {
        var topic = await shared.NewTopicAsync(3, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        foreach (var priority in new[] { 0, 2, 1, 7 })
        {
            var sent = await shared.Client.SendAsync(Urgent(topic, priority));
            Assert.Equal(Code.Ok, sent.Status.Code);
        }

        var received = await shared.Client.ReceiveAsync(topic, group, request => request.BatchSize = 32);

        Assert.Equal([2, 7, 1, 0], received.Select(message => message.SystemProperties.Priority));
        Assert.All(received, message => Assert.Equal(MessageType.Priority, message.SystemProperties.MessageType));
    }

    [Fact]
    public async Task Whatever_queue_is_asked_the_most_urgent_message_comes()
    {
        var topic = await shared.NewTopicAsync(3, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        foreach (var priority in new[] { 0, 1, 2 })
        {
            await shared.Client.SendAsync(Urgent(topic, priority));
        }

        var received = Assert.Single(await shared.Client.ReceiveAsync(topic, group, request =>
        {
            request.MessageQueue.Id = 0;
            request.BatchSize = 1;
        }));

        Assert.Equal(2, received.SystemProperties.Priority);
    }

    [Fact]
    public async Task A_topic_of_priorities_has_ten_queues_unless_told_otherwise()
    {
        var name = $"bands-{Guid.NewGuid():N}";
        var request = new CreateTopicRequest { Topic = new Topic { Name = name, AcceptMessageTypes = { MessageType.Priority } } };

        var created = await shared.Client.Admin.CreateTopicAsync(request, shared.Client.Options());
        var again = await shared.Client.Admin.CreateTopicAsync(request, shared.Client.Options());

        Assert.Equal((AdminCode.AdminOk, 10), (created.Status.Code, created.Topic.QueueCount));
        Assert.Equal(AdminCode.AdminOk, again.Status.Code);
    }

    [Fact]
    public async Task A_topic_that_takes_priorities_and_another_type_is_refused()
    {
        var topic = new Topic { Name = $"mixed-{Guid.NewGuid():N}", AcceptMessageTypes = { MessageType.Priority, MessageType.Normal } };

        var created = await shared.Client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = topic }, shared.Client.Options());

        Assert.Equal(AdminCode.AdminInvalidArgument, created.Status.Code);
        Assert.Contains("takes no others", created.Status.Message, StringComparison.Ordinal);
    }

    private Message Urgent(string topic, int priority) => shared.Client.Message(topic, change: message =>
    {
        message.SystemProperties.MessageType = MessageType.Priority;
        message.SystemProperties.Priority = priority;
    });
}
