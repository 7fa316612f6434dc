using Dledger.Broker.Deduplication;

namespace Dledger.Broker.Groups;

/// <summary>A consumer group. Replicated state, owned by the apply loop.</summary>
internal sealed class GroupState(GroupView view)
{
    /// <summary>Its settings as published; replaced when they change.</summary>
    public GroupView View { get; set; } = view;

    /// <summary>Not null while the group is given nothing.</summary>
    public GroupPause? Pause => View.Pause;

    /// <summary>Of a member group the broadcast group, else null.</summary>
    public GroupState? Owner { get; init; }

    /// <summary>Of a broadcast group its member groups by client id; they have no names of their own.</summary>
    public SortedDictionary<string, GroupState> Members { get; } = new(StringComparer.Ordinal);

    /// <summary>Of a member group: log time of the newest record that shows its client alive.</summary>
    public long UsedAt { get; set; }

    /// <summary>By topic id, ascending.</summary>
    public SortedDictionary<int, Subscription> Subscriptions { get; } = [];

    /// <summary>What is handed out and not finished.</summary>
    public InFlightCount InFlight { get; } = new();

    /// <summary>What it has processed and works on, by key; empty in a group that does not look.</summary>
    public ProcessedKeys Processed { get; } = new();

    /// <summary>Which queue of the dead letter topic belongs to which origin topic, by the id of that; given at first use.</summary>
    public SortedDictionary<int, int> DeadLetterQueues { get; } = [];
}
