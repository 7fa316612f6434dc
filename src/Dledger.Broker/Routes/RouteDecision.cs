using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Routes;

/// <summary>Decides for the leader where a message stands beside its own queue. Pure; any thread.</summary>
/// <remarks>
/// One hop: the routes of a target are not followed, so no chain and no circle can come about. A topic that several matching routes name
/// gets the message once.
/// </remarks>
internal static class RouteDecision
{
    /// <summary>The places of a message with this property map and id.</summary>
    /// <param name="topics">All topics as they are.</param>
    /// <param name="source">The topic that it is sent to.</param>
    /// <param name="queueId">Its queue there.</param>
    /// <param name="groupHash">Hash of its message group; null without one.</param>
    /// <param name="message">What the rules look at.</param>
    public static IReadOnlyList<RoutedPlace> Decide(
        TopicDirectory topics, TopicView source, int queueId, long? groupHash, in SqlMessage message)
    {
        if (source.Settings.Routes.Count == 0)
        {
            return [];
        }

        var places = new List<RoutedPlace>(source.Settings.Routes.Count);
        foreach (var route in source.Settings.Routes)
        {
            if (topics.Find(route.TargetId) is { } target
                && !places.Exists(place => place.TopicId == target.Id)
                && route.Filter.Matches(message))
            {
                places.Add(new RoutedPlace(target.Id, QueueOf(target, queueId, groupHash)));
            }
        }

        return places;
    }

    /// <summary>The places of the copy by which a stored message becomes visible.</summary>
    public static IReadOnlyList<RoutedPlace> Decide(TopicDirectory topics, in RecordView record) =>
        topics.Find(record.TopicId) is { } source
            ? Decide(topics, source, record.QueueId, record.GroupHash, SqlMessage.Of(record))
            : [];

    // A message group has one queue of each topic for ever; the others keep the order that they have in their queue.
    private static int QueueOf(TopicView target, int queueId, long? groupHash) => groupHash is { } hash
        ? MessageGroupHash.QueueOf(hash, target.QueueCount)
        : queueId % target.QueueCount;
}
