using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Conformance.Tests.Refusals;

/// <summary>Every rule of a receive: its code, words that name the field and its bound, and nothing handed out.</summary>
public sealed class ReceiveRefusals(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly Dictionary<string, Refusal> Rules = new()
    {
        ["no invisible duration"] = new(
            Code.IllegalInvisibleTime, ["invisible duration", "12:00:00"], r => r.InvisibleDuration = null),
        ["an invisible duration of a millisecond"] = new(Code.IllegalInvisibleTime, ["invisible duration", "00:00:01"],
            r => r.InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1))),
        ["an invisible duration above 12 hours"] = new(Code.IllegalInvisibleTime, ["invisible duration", "12:00:00"],
            r => r.InvisibleDuration = new() { Seconds = (12 * 3600) + 1 }),
        ["an empty SQL filter"] = new(Code.IllegalFilterExpression, ["SQL", "empty"],
            r => r.FilterExpression = new() { Type = FilterType.Sql }),
        ["a filter of 4097 characters"] = new(Code.IllegalFilterExpression, ["filter", "4096"],
            r => r.FilterExpression.Expression = new string('t', 4_097)),
        ["a filter of 129 tags"] = new(Code.IllegalFilterExpression, ["tags", "128"],
            r => r.FilterExpression.Expression = string.Join("||", Enumerable.Range(0, 129))),
        ["a negative polling time"] = new(Code.IllegalPollingTime, ["long_polling_timeout", "negative"],
            r => r.LongPollingTimeout = new() { Seconds = -1 }),
        ["an illegal topic"] = new(Code.IllegalTopic, ["topic name", "a b"], r => r.MessageQueue.Topic.Name = "a b"),
        ["no queue"] = new(Code.IllegalTopic, ["topic name", "empty"], r => r.MessageQueue = null),
        ["a topic that does not exist"] = new(
            Code.TopicNotFound, ["nobody-made-it"], r => r.MessageQueue.Topic.Name = "nobody-made-it"),
        ["a group of the system"] = new(
            Code.IllegalConsumerGroup, ["consumer group name", "reserved"], r => r.Group.Name = "CID_RMQ_SYS_x"),
        ["a group of 121 characters"] = new(
            Code.IllegalConsumerGroup, ["consumer group name", "121", "120"], r => r.Group.Name = new string('g', 121)),
        ["no group"] = new(Code.IllegalConsumerGroup, ["consumer group name", "empty"], r => r.Group = null),
        ["a group that does not exist"] = new(
            Code.ConsumerGroupNotFound, ["nobody-made-it"], r => r.Group.Name = "nobody-made-it"),
        ["another broker"] = new(Code.BadRequest, ["broker"], r => r.MessageQueue.Broker = new() { Name = "another" }),
        ["an attempt id of 256 bytes"] = new(Code.BadRequest, ["attempt_id", "255"], r => r.AttemptId = new string('a', 256)),
    };

    public static TheoryData<string> Names => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_receive_that_breaks_a_rule_is_refused_by_name_and_hands_nothing_out(string name)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 2);
        var before = await shared.StateAsync(topic, group);

        var frames = await shared.Client.ReceiveFramesAsync(
            shared.Client.ReceiveRequest(topic, group, Rules[name].Change));

        var status = Assert.Single(frames).Status;
        Assert.Equal(Rules[name].Code, status.Code);
        Assert.All(Rules[name].Words, word => Assert.Contains(word, status.Message, StringComparison.Ordinal));
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    private sealed record Refusal(Code Code, string[] Words, Action<ReceiveMessageRequest> Change);
}
