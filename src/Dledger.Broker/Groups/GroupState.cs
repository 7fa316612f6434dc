namespace Dledger.Broker.Groups;

/// <summary>A consumer group. Replicated state, owned by the apply loop.</summary>
internal sealed class GroupState(GroupView view)
{
    /// <summary>Its settings as published; replaced when they change.</summary>
    public GroupView View { get; set; } = view;

    /// <summary>By topic id, ascending.</summary>
    public SortedDictionary<int, Subscription> Subscriptions { get; } = [];
}
