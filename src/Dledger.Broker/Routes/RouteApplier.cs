using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Routes;

/// <summary>Gives a record that joined its queue its places in others, as the leader decided. Owned by the apply loop.</summary>
/// <remarks>
/// It is the same record, so it is visible in all of its queues or in none. A topic that was deleted after the decision is passed over;
/// queues never become fewer.
/// </remarks>
internal sealed class RouteApplier(BrokerState state, LeaderDuties duties)
{
    public void Apply(in RecordView record, LogPosition position)
    {
        var places = RoutedPlaces.Of(record);
        for (var i = 0; i < places.Count; i++)
        {
            var (topicId, queueId) = places[i];
            if (state.Topics.Find(topicId) is not { } target || queueId >= target.Queues.Count)
            {
                continue;
            }

            target.Queues[queueId].Append(position, record);
            duties.MessageAppended(topicId, queueId);
        }
    }
}
