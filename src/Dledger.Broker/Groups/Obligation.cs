namespace Dledger.Broker.Groups;

/// <summary>
/// A message out of attempts that waits for its copy in the dead letter topic; orders by group, topic, queue, offset.
/// </summary>
internal readonly record struct Obligation(int GroupId, int TopicId, int QueueId, long Offset) : IComparable<Obligation>
{
    public int CompareTo(Obligation other)
    {
        var order = GroupId.CompareTo(other.GroupId);
        order = order != 0 ? order : TopicId.CompareTo(other.TopicId);
        order = order != 0 ? order : QueueId.CompareTo(other.QueueId);
        return order != 0 ? order : Offset.CompareTo(other.Offset);
    }
}
