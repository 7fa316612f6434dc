using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Conformance.Tests.Items;

public sealed class SendItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private const int FrameBytesMax = 4_194_304;

    /// <summary>What the limit of a body must be so that a whole frame stays below what clients take.</summary>
    private const int BodyBytesMax = FrameBytesMax - 65_536;

    private static readonly Dictionary<string, (Code Code, Action<Message> Change)> Limits = new()
    {
        ["a body of 4194305 bytes"] = (Code.MessageBodyTooLarge, m => m.Body = Bytes(4_194_305)),
        ["an empty body"] = (Code.MessageBodyEmpty, m => m.Body = ByteString.Empty),
        ["129 properties"] = (Code.MessagePropertiesTooLarge, m => AddProperties(m, 129, 1)),
        ["the property TAGS"] = (Code.IllegalMessagePropertyKey, m => m.UserProperties["TAGS"] = "x"),
        ["a tag with a bar"] = (Code.IllegalMessageTag, m => m.SystemProperties.Tag = "a|b"),
        ["a blank key"] = (Code.IllegalMessageKey, m => m.SystemProperties.Keys.Add(" ")),
        ["a group of 64 bytes"] = (Code.IllegalMessageGroup, m => m.SystemProperties.MessageGroup = new string('g', 64)),
        ["a blank id"] = (Code.IllegalMessageId, m => m.SystemProperties.MessageId = " "),
        ["a delivery beyond every maximum"] = (Code.IllegalDeliveryTime,
            m => m.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddDays(3_650))),
    };

    public static TheoryData<string> LimitNames => [.. Limits.Keys];

    public static TheoryData<MessageType, MessageType> Mismatches
    {
        get
        {
            MessageType[] types = [MessageType.Normal, MessageType.Fifo, MessageType.Delay, MessageType.Transaction];
            var pairs = new TheoryData<MessageType, MessageType>();
            foreach (var topic in types)
            {
                foreach (var message in types.Where(type => type != topic))
                {
                    pairs.Add(topic, message);
                }
            }

            return pairs;
        }
    }

    private TestClient Client => shared.Client;

    [Fact]
    public async Task Item_22_a_message_on_its_topic_is_ok_with_its_id_and_an_offset()
    {
        var topic = await shared.NewTopicAsync();
        var message = Client.Message(topic);

        var response = await Client.SendAsync(message);

        Assert.Equal(Code.Ok, response.Status.Code);
        var entry = Assert.Single(response.Entries);
        Assert.Equal(Code.Ok, entry.Status.Code);
        Assert.Equal(message.SystemProperties.MessageId, entry.MessageId);
        Assert.InRange(entry.Offset, 0, long.MaxValue);
    }

    [Theory]
    [InlineData(MessageType.Normal)]
    [InlineData(MessageType.Fifo)]
    public async Task Item_23_a_topic_takes_messages_of_its_type(MessageType type)
    {
        var topic = await shared.NewTopicAsync(1, type);

        var response = await Client.SendAsync(Client.Message(topic, change: message => Become(message, type)));

        Assert.Equal(Code.Ok, response.Status.Code);
    }

    [Theory]
    [MemberData(nameof(Mismatches))]
    public async Task Item_23_a_topic_takes_no_other_type(MessageType topicType, MessageType messageType)
    {
        var topic = await shared.NewTopicAsync(1, topicType);
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.SendAsync(Client.Message(topic, change: message => Become(message, messageType)));

        Assert.Equal(Code.MessagePropertyConflictWithType, response.Status.Code);
        Assert.Equal(Code.MessagePropertyConflictWithType, Assert.Single(response.Entries).Status.Code);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task Item_24_messages_of_one_group_share_a_queue_and_follow_each_other()
    {
        var topic = await shared.NewTopicAsync(8, MessageType.Fifo);
        var group = await shared.NewGroupAsync();
        using var other = shared.NewClient("GOLANG");
        for (var count = 0; count < 4; count++)
        {
            var sender = count % 2 == 0 ? Client : other;
            await sender.SendAsync(sender.Message(topic, $"{count}", message =>
            {
                message.SystemProperties.MessageGroup = "together";
                message.SystemProperties.QueueId = count;
            }));
        }

        var received = await Client.ReceiveAsync(topic, group);

        Assert.Equal(["0", "1", "2", "3"], received.Select(message => message.Body()));
        Assert.Single(received.Select(message => message.SystemProperties.QueueId).Distinct());
        Assert.Equal([0L, 1L, 2L, 3L], received.Select(message => message.SystemProperties.QueueOffset));
    }

    [Fact]
    public async Task Item_25_a_request_without_messages_is_corrupt() =>
        Assert.Equal(Code.MessageCorrupted, (await Client.SendAsync()).Status.Code);

    [Fact]
    public async Task Item_25_a_request_over_two_topics_is_corrupt_and_stores_nothing()
    {
        var first = await shared.NewTopicAsync();
        var second = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(first, group) + await shared.StateAsync(second, group);

        var response = await Client.SendAsync(Client.Message(first), Client.Message(second));

        Assert.Equal(Code.MessageCorrupted, response.Status.Code);
        Assert.Equal(before, await shared.StateAsync(first, group) + await shared.StateAsync(second, group));
    }

    [Theory]
    [MemberData(nameof(LimitNames))]
    public async Task Item_26_a_message_beyond_a_limit_gets_its_code_twice_and_stores_nothing(string name)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await Client.SendAsync(Client.Message(topic, change: Limits[name].Change));

        Assert.Equal(Limits[name].Code, response.Status.Code);
        Assert.Equal(Limits[name].Code, Assert.Single(response.Entries).Status.Code);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task Item_27_the_largest_message_is_delivered_in_a_frame_that_every_client_takes()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);

        var sent = await Client.SendAsync(Client.Message(topic, change: message =>
        {
            message.Body = Bytes(BodyBytesMax);
            AddProperties(message, 128, 120);
            message.SystemProperties.BornHost = new string('h', 255);
        }));
        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(topic, group));

        Assert.Equal(Code.Ok, sent.Status.Code);
        var delivered = frames.Single(frame => frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message);
        Assert.InRange(delivered.CalculateSize(), BodyBytesMax, FrameBytesMax);
        Assert.Equal(128, delivered.Message.UserProperties.Count);
    }

    [Fact]
    public async Task Item_27a_a_request_of_a_hundred_mebibytes_is_answered_with_a_status()
    {
        var topic = await shared.NewTopicAsync();
        var body = Bytes(4_000_000);

        var response = await Client.SendAsync(
            [.. Enumerable.Range(0, 26).Select(_ => Client.Message(topic, change: message => message.Body = body))]);

        Assert.NotEqual(Code.Unspecified, response.Status.Code);
        Assert.Equal(26, response.Entries.Count);
    }

    private static void Become(Message message, MessageType type)
    {
        message.SystemProperties.MessageType = type;
        switch (type)
        {
            case MessageType.Fifo:
                message.SystemProperties.MessageGroup = "g";
                break;
            case MessageType.Delay:
                message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddSeconds(5));
                break;
        }
    }

    private static ByteString Bytes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);

    private static void AddProperties(Message message, int count, int valueLength)
    {
        for (var index = 0; index < count; index++)
        {
            message.UserProperties[$"p{index}"] = new string('v', valueLength);
        }
    }
}
