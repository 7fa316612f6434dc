using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Encoding = Apache.Rocketmq.V2.Encoding;

namespace Dledger.Conformance.Tests.Refusals;

/// <summary>Every rule of a message: the code that clients know, words that name the field and its bound, and nothing stored.</summary>
public sealed class SendRefusals(SharedNode shared) : IClassFixture<SharedNode>
{
    private const int BodyBytesMax = 4_194_304 - 65_536;

    private static readonly Dictionary<string, Refusal> Rules = new()
    {
        ["an empty body"] = new(Code.MessageBodyEmpty, ["body"], m => m.Body = ByteString.Empty),
        ["a body one byte above the limit"] = new(
            Code.MessageBodyTooLarge, ["body", $"{BodyBytesMax + 1}", $"{BodyBytesMax}"], m => m.Body = Bytes(BodyBytesMax + 1)),
        ["129 properties"] = new(Code.MessagePropertiesTooLarge, ["properties", "129", "128"], m => Fill(m, 129)),
        ["16385 bytes of properties"] = new(
            Code.MessagePropertiesTooLarge, ["properties", "16385", "16384"], m => m.UserProperties["a"] = new string('x', 16_384)),
        ["tag and keys of 16385 bytes"] = new(Code.MessagePropertiesTooLarge, ["tag", "keys", "16384"], m =>
        {
            m.SystemProperties.Tag = new string('t', 8_192);
            m.SystemProperties.Keys.Add(new string('k', 8_193));
        }
        ),
        ["more than a record can hold"] = new(
            Code.MessagePropertiesTooLarge, ["32767"], m => m.SystemProperties.TraceContext = new string('t', 40_000)),
        ["a reserved property"] = new(
            Code.IllegalMessagePropertyKey, ["TIMER_DELAY_MS", "reserved"], m => m.UserProperties["TIMER_DELAY_MS"] = "1"),
        ["a control character in a key of a property"] = new(
            Code.IllegalMessagePropertyKey, ["property", "control character"], m => m.UserProperties["a\u0001"] = "x"),
        ["a control character in a property"] = new(
            Code.IllegalMessagePropertyKey, ["property", "control character"], m => m.UserProperties["a"] = "x\n"),
        ["a tag with a bar"] = new(Code.IllegalMessageTag, ["tag", "|"], m => m.SystemProperties.Tag = "a|b"),
        ["a blank tag"] = new(Code.IllegalMessageTag, ["tag", "blank"], m => m.SystemProperties.Tag = " "),
        ["a control character in the tag"] = new(
            Code.IllegalMessageTag, ["tag", "control character"], m => m.SystemProperties.Tag = "a\t"),
        ["a blank key"] = new(Code.IllegalMessageKey, ["key", "blank"], m => m.SystemProperties.Keys.Add("")),
        ["a control character in a key"] = new(
            Code.IllegalMessageKey, ["key", "control character"], m => m.SystemProperties.Keys.Add("a\u0007")),
        ["a message group of 64 bytes"] = new(
            Code.IllegalMessageGroup, ["message group", "64"], m => m.SystemProperties.MessageGroup = new string('g', 64)),
        ["a blank message group"] = new(
            Code.IllegalMessageGroup, ["message group", "blank"], m => m.SystemProperties.MessageGroup = ""),
        ["a control character in the group"] = new(
            Code.IllegalMessageGroup, ["message group", "control character"], m => m.SystemProperties.MessageGroup = "g\u0002"),
        ["a blank id"] = new(Code.IllegalMessageId, ["message id", "blank"], m => m.SystemProperties.MessageId = " "),
        ["an id of 256 bytes"] = new(
            Code.IllegalMessageId, ["message id", "255"], m => m.SystemProperties.MessageId = new string('i', 256)),
        ["a delivery beyond every maximum"] = new(Code.IllegalDeliveryTime, ["delivery time", "ahead"],
            m => m.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddDays(3_650))),
        ["a delivery at the end of time"] = new(Code.IllegalDeliveryTime, ["delivery time", "ahead"],
            m => m.SystemProperties.DeliveryTimestamp = new Timestamp { Seconds = long.MaxValue }),
        ["a recovery after more than an hour"] = new(Code.BadRequest, ["orphaned_transaction_recovery_duration", "01:00:00"],
            m => m.SystemProperties.OrphanedTransactionRecoveryDuration = new Duration { Seconds = 3_601 }),
        ["an encoding that does not exist"] = new(Code.MessageCorrupted, ["body_encoding", "77"],
            m => m.SystemProperties.BodyEncoding = (Encoding)77),
        ["a lite topic on a normal topic"] = new(
            Code.MessagePropertyConflictWithType, ["Normal", "Lite"], m => m.SystemProperties.LiteTopic = "lite"),
        ["a priority on a normal topic"] = new(
            Code.MessagePropertyConflictWithType, ["Normal", "Priority"], m => m.SystemProperties.Priority = 3),
        ["a name with a blank"] = new(Code.IllegalTopic, ["topic name", "a b"], m => m.Topic.Name = "a b"),
        ["no name"] = new(Code.IllegalTopic, ["topic name", "empty"], m => m.Topic.Name = ""),
        ["a name of 128 characters"] = new(
            Code.IllegalTopic, ["topic name", "128", "127"], m => m.Topic.Name = new string('t', 128)),
        ["a name of the system"] = new(Code.IllegalTopic, ["topic name", "reserved"], m => m.Topic.Name = "rmq_sys_x"),
        ["a topic that does not exist"] = new(Code.TopicNotFound, ["nobody-made-it"], m => m.Topic.Name = "nobody-made-it"),
    };

    public static TheoryData<string> Names => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_message_that_breaks_a_rule_is_refused_by_name_and_changes_nothing(string name)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await shared.Client.SendAsync(shared.Client.Message(topic, change: Rules[name].Change));

        Assert.Equal(Rules[name].Code, response.Status.Code);
        Assert.Equal(Rules[name].Code, Assert.Single(response.Entries).Status.Code);
        Assert.All(Rules[name].Words, word => Assert.Contains(word, response.Status.Message, StringComparison.Ordinal));
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    [Fact]
    public async Task One_bad_message_keeps_the_whole_batch_out()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        var before = await shared.StateAsync(topic, group);

        var response = await shared.Client.SendAsync(
            shared.Client.Message(topic), shared.Client.Message(topic, change: Rules["a tag with a bar"].Change));

        Assert.Equal(Code.IllegalMessageTag, response.Status.Code);
        Assert.Equal(2, response.Entries.Count);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    private static ByteString Bytes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);

    private static void Fill(Message message, int count)
    {
        for (var index = 0; index < count; index++)
        {
            message.UserProperties[$"p{index}"] = "v";
        }
    }

    private sealed record Refusal(Code Code, string[] Words, Action<Message> Change);
}
