using Dledger.Broker.Deduplication;

namespace Dledger.Broker.Groups;

/// <summary>A consumer group. Replicated state, owned by the apply loop.</summary>
internal sealed class GroupState(GroupView view)
{
    /// <summary>Its settings as published; replaced when they change.</summary>
    public GroupView View { get; set; } = view;

    /// <summary>Not null while the group is given nothing.</summary>
    public GroupPause? Pause => View.Pause;

    /// <summary>By topic id, ascending.</summary>
    public SortedDictionary<int, Subscription> Subscriptions { get; } = [];

    /// <summary>What is handed out and not finished.</summary>
    public InFlightCount InFlight { get; } = new();

    /// <summary>What it has processed and works on, by key; empty in a group that does not look.</summary>
    public ProcessedKeys Processed { get; } = new();

    /// <summary>Which queue of the dead letter topic belongs to which origin topic, by the id of that; given at first use.</summary>
    public SortedDictionary<int, int> DeadLetterQueues { get; } = [];
}
