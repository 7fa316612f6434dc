using Dledger.Broker.Commands;
using Dledger.Broker.Groups;

namespace Dledger.Broker.Parking;

/// <summary>Finds the parked messages of a group and does with them what a record says. A pure function of state and record.</summary>
internal static class ParkingTable
{
    /// <summary>The selected parked messages, by topic id, queue and offset.</summary>
    public static IEnumerable<(QueueCursor Cursor, long Offset)> Find(GroupState group, ParkingCommand selection)
    {
        foreach (var (topicId, subscription) in group.Subscriptions)
        {
            if (selection.TopicId != 0 && selection.TopicId != topicId)
            {
                continue;
            }

            foreach (var cursor in subscription.Cursors)
            {
                if (selection.QueueId >= 0 && selection.QueueId != cursor.QueueId)
                {
                    continue;
                }

                foreach (var offset in cursor.ParkedSince.Keys)
                {
                    if ((selection.Offset < 0 || selection.Offset == offset)
                        && (selection.GroupHash is not { } hash || cursor.At(offset).GroupHash == hash))
                    {
                        yield return (cursor, offset);
                    }
                }
            }
        }
    }

    /// <summary>Releases or drops the selected messages; how many they were.</summary>
    public static int Apply(LeaseTable leases, GroupState group, ParkingCommand command)
    {
        var selected = Find(group, command).ToList();
        foreach (var (cursor, offset) in selected)
        {
            if (command.Action == ParkingAction.Release)
            {
                leases.Unpark(cursor, offset);
            }
            else
            {
                leases.Drop(cursor, offset);
            }
        }

        return selected.Count;
    }

    /// <summary>Unfinished messages of a parked one's message group that the group knows and that follow it.</summary>
    public static int CountBehind(QueueCursor cursor, long offset)
    {
        if (cursor.LaneOf(cursor.At(offset).GroupHash) is not { } lane)
        {
            return 0;
        }

        var count = 0;
        foreach (var each in lane.Offsets)
        {
            if (each > offset && cursor.Contains(each) && cursor.At(each).State != DeliveryState.Done)
            {
                count++;
            }
        }

        return count;
    }
}
