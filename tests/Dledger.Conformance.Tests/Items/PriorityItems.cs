using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;

namespace Dledger.Conformance.Tests.Items;

/// <summary>65: priorities.</summary>
public sealed class PriorityItems(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_65_the_most_urgent_messages_come_first_with_the_priority_of_their_senders()
    {
        var client = shared.Client;
        var topic = await shared.NewTopicAsync(4, MessageType.Priority);
        var group = await shared.NewGroupAsync();
        int[] priorities = [1, 3, 0, 100, 2];
        foreach (var priority in priorities)
        {
            var sent = await client.SendAsync(client.Message(topic, $"{priority}", message =>
            {
                message.SystemProperties.MessageType = MessageType.Priority;
                message.SystemProperties.Priority = priority;
            }));
            Assert.Equal(Code.Ok, sent.Status.Code);
        }

        var messages = await client.ReceiveAsync(topic, group, request => request.BatchSize = 32);

        Assert.Equal([3, 100, 2, 1, 0], messages.Select(message => message.SystemProperties.Priority));
        Assert.Equal([3, 3, 2, 1, 0], messages.Select(message => message.SystemProperties.QueueId));
        Assert.All(messages, message => Assert.Equal(MessageType.Priority, message.SystemProperties.MessageType));
    }
}
