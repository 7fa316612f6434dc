using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>Each limit of a send against the code that clients know (protocol reference, 4.5), and nothing
/// stored.</summary>
public sealed class SendRefusalTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly Dictionary<string, (Code Code, Action<Message> Change)> Limits = new()
    {
        ["an empty body"] = (Code.MessageBodyEmpty, m => m.Body = ByteString.Empty),
        ["a body one byte above the limit"] = (Code.MessageBodyTooLarge, m => m.Body = Bytes(4_194_304 - 65_536 + 1)),
        ["a body of 4194305 bytes"] = (Code.MessageBodyTooLarge, m => m.Body = Bytes(4_194_305)),
        ["129 properties"] = (Code.MessagePropertiesTooLarge, m => AddProperties(m, 129)),
        ["16385 bytes of properties"] = (Code.MessagePropertiesTooLarge,
            m => m.UserProperties["a"] = new string('x', 16_384)),
        ["tag and keys count as properties"] = (Code.MessagePropertiesTooLarge, m =>
        {
            m.SystemProperties.Tag = new string('t', 8_192);
            m.SystemProperties.Keys.Add(new string('k', 8_193));
        }
        ),
        ["a trace context that no record can hold"] = (Code.MessagePropertiesTooLarge,
            m => m.SystemProperties.TraceContext = new string('t', 40_000)),
        ["a reserved property"] = (Code.IllegalMessagePropertyKey, m => m.UserProperties["TAGS"] = "x"),
        ["a control character in a property key"] = (Code.IllegalMessagePropertyKey,
            m => m.UserProperties["a\u0001"] = "x"),
        ["a control character in a property"] = (Code.IllegalMessagePropertyKey, m => m.UserProperties["a"] = "x\n"),
        ["a tag with a bar"] = (Code.IllegalMessageTag, m => m.SystemProperties.Tag = "a|b"),
        ["a blank tag"] = (Code.IllegalMessageTag, m => m.SystemProperties.Tag = " "),
        ["a control character in the tag"] = (Code.IllegalMessageTag, m => m.SystemProperties.Tag = "a\t"),
        ["a blank key"] = (Code.IllegalMessageKey, m => m.SystemProperties.Keys.Add("")),
        ["a control character in a key"] = (Code.IllegalMessageKey, m => m.SystemProperties.Keys.Add("a\u0007")),
        ["a message group of 64 bytes"] = (Code.IllegalMessageGroup,
            m => m.SystemProperties.MessageGroup = new string('g', 64)),
        ["a blank message group"] = (Code.IllegalMessageGroup, m => m.SystemProperties.MessageGroup = ""),
        ["a control character in the group"] = (Code.IllegalMessageGroup,
            m => m.SystemProperties.MessageGroup = "g\u0002"),
        ["a blank message id"] = (Code.IllegalMessageId, m => m.SystemProperties.MessageId = " "),
        ["no system properties"] = (Code.IllegalMessageId, m => m.SystemProperties = null),
        ["a delivery more than a year ahead"] = (Code.IllegalDeliveryTime,
            m => m.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddDays(365.1))),
        ["a delivery at the end of time"] = (Code.IllegalDeliveryTime,
            m => m.SystemProperties.DeliveryTimestamp = new Timestamp { Seconds = long.MaxValue }),
        ["a recovery after more than an hour"] = (Code.BadRequest,
            m => m.SystemProperties.OrphanedTransactionRecoveryDuration = new Duration { Seconds = 3_601 }),
        ["an encoding that does not exist"] = (Code.MessageCorrupted,
            m => m.SystemProperties.BodyEncoding = (Encoding)77),
        ["a message group on a normal topic"] = (Code.MessagePropertyConflictWithType,
            m => m.SystemProperties.MessageGroup = "g"),
        ["a delay on a normal topic"] = (Code.MessagePropertyConflictWithType,
            m => m.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddSeconds(5))),
        ["a transaction on a normal topic"] = (Code.MessagePropertyConflictWithType,
            m => m.SystemProperties.MessageType = MessageType.Transaction),
        ["a lite topic on a normal topic"] = (Code.MessagePropertyConflictWithType,
            m => m.SystemProperties.LiteTopic = "lite"),
        ["a priority on a normal topic"] = (Code.MessagePropertyConflictWithType,
            m => m.SystemProperties.Priority = 3),
    };

    public static TheoryData<string> Names => [.. Limits.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_message_beyond_a_limit_gets_its_code_twice_and_is_not_stored(string name)
    {
        var topic = await shared.NewTopicAsync();
        var message = shared.Client.Message(topic, change: Limits[name].Change);

        var response = await shared.Client.SendAsync(message);

        Assert.Equal(Limits[name].Code, response.Status.Code);
        Assert.NotEmpty(response.Status.Message);
        var entry = Assert.Single(response.Entries);
        Assert.Equal(Limits[name].Code, entry.Status.Code);
        Assert.Equal(message.SystemProperties?.MessageId ?? "", entry.MessageId);
        Assert.Equal(0, await shared.StoredCountAsync(topic));
    }

    [Theory]
    [InlineData("a b", Code.IllegalTopic)]
    [InlineData("", Code.IllegalTopic)]
    [InlineData("TBW102", Code.IllegalTopic)]
    [InlineData("rmq_sys_x", Code.IllegalTopic)]
    public async Task An_illegal_topic_is_refused(string topic, Code expected)
    {
        var response = await shared.Client.SendAsync(shared.Client.Message(topic));

        Assert.Equal(expected, response.Status.Code);
        Assert.Equal(expected, Assert.Single(response.Entries).Status.Code);
    }

    [Fact]
    public async Task A_topic_name_of_127_characters_is_taken_and_one_of_128_is_not()
    {
        var longest = await shared.Client.SendAsync(shared.Client.Message(new string('t', 127)));
        var longer = await shared.Client.SendAsync(shared.Client.Message(new string('t', 128)));

        Assert.Equal(Code.Ok, longest.Status.Code);
        Assert.Equal(Code.IllegalTopic, longer.Status.Code);
    }

    [Fact]
    public async Task An_empty_request_is_corrupt()
    {
        var response = await shared.Client.SendAsync();

        Assert.Equal(Code.MessageCorrupted, response.Status.Code);
    }

    [Fact]
    public async Task A_request_over_two_topics_is_corrupt_and_stores_nothing()
    {
        var first = await shared.NewTopicAsync();
        var second = await shared.NewTopicAsync();

        var response = await shared.Client.SendAsync(shared.Client.Message(first), shared.Client.Message(second));

        Assert.Equal(Code.MessageCorrupted, response.Status.Code);
        Assert.Equal(2, response.Entries.Count);
        Assert.All(response.Entries, entry => Assert.Equal(Code.MessageCorrupted, entry.Status.Code));
        Assert.Equal(0, await shared.StoredCountAsync(first));
        Assert.Equal(0, await shared.StoredCountAsync(second));
    }

    [Fact]
    public async Task One_bad_message_keeps_the_whole_batch_out()
    {
        var topic = await shared.NewTopicAsync();

        var response = await shared.Client.SendAsync(
            shared.Client.Message(topic),
            shared.Client.Message(topic, change: message => message.SystemProperties.Tag = "a|b"));

        Assert.Equal(Code.IllegalMessageTag, response.Status.Code);
        Assert.Equal(2, response.Entries.Count);
        Assert.Equal(0, await shared.StoredCountAsync(topic));
    }

    [Fact]
    public async Task The_largest_legal_message_is_taken_and_its_frame_stays_within_what_clients_receive()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var message = shared.Client.Message(topic, change: m =>
        {
            m.Body = Bytes(4_194_304 - 65_536);
            AddProperties(m, 128, valueLength: 120);
            m.SystemProperties.BornHost = new string('h', 255);
        });

        var response = await shared.Client.SendAsync(message);
        var frames = await shared.Client.ReceiveFramesAsync(shared.Client.ReceiveRequest(topic, group));

        Assert.Equal(Code.Ok, response.Status.Code);
        var received = frames.Single(frame => frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message);
        Assert.InRange(received.CalculateSize(), 4_194_304 - 65_536, 4_194_304);
        Assert.Equal(128, received.Message.UserProperties.Count);
    }

    [Fact]
    public async Task A_batch_of_a_hundred_mebibytes_is_answered_with_a_status_and_not_with_a_reset()
    {
        var topic = await shared.NewTopicAsync();
        var body = Bytes(4_000_000);
        var messages = Enumerable.Range(0, 26).Select(_ => shared.Client.Message(topic, change: m => m.Body = body));

        var response = await shared.Client.SendAsync([.. messages]);

        Assert.Equal(Code.MessageBodyTooLarge, response.Status.Code);
        Assert.Equal(26, response.Entries.Count);
        Assert.Equal(0, await shared.StoredCountAsync(topic));
    }

    private static ByteString Bytes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);

    private static void AddProperties(Message message, int count, int valueLength = 1)
    {
        for (var index = 0; index < count; index++)
        {
            message.UserProperties[$"p{index}"] = new string('v', valueLength);
        }
    }
}
