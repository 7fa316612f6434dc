using Dledger.Broker.Lookups;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>Says in which other topics a message stands because of routes. Owned by the apply loop.</summary>
internal static class RoutedText
{
    /// <summary>Begins with a comma; empty when it stands in its own topic only.</summary>
    public static string Describe(BrokerState state, TopicState topic, byte[] bytes, LogPosition position)
    {
        RecordView.TryParseUnchecked(bytes, out var record, out _);
        var text = "";
        if (record.TopicId != topic.Id)
        {
            text += $", routed from {NameOf(state, record.TopicId)}";
        }

        var places = RoutedPlaces.Of(record);
        for (var i = 0; i < places.Count; i++)
        {
            var (topicId, queueId) = places[i];
            if (topicId != topic.Id && state.Topics.Find(topicId) is { } target && queueId < target.Queues.Count)
            {
                var offset = LookupService.FindOffset(target.Queues[queueId], position);
                text += offset < 0
                    ? $", routed to topic '{target.View.Name}' and gone from there"
                    : string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $", routed to offset {offset} of queue {queueId} of topic '{target.View.Name}'");
            }
        }

        return text;
    }

    private static string NameOf(BrokerState state, int topicId) =>
        state.Topics.Find(topicId) is { } topic ? $"topic '{topic.View.Name}'" : "a topic that was deleted";
}
