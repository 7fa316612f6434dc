namespace Dledger.Broker.Groups;

/// <summary>A consumer group as asked for.</summary>
public sealed record GroupSpec
{
    public required string Name { get; init; }

    /// <summary>Whether each queue is handed to one receiver at a time, in order. Fixed for the life of the group.</summary>
    public bool Fifo { get; init; }

    /// <summary>
    /// Where the group begins in a topic; null: what <see cref="BrokerOptions.NewGroupStart"/> says, at the end in a broadcast group.
    /// </summary>
    public GroupStart? Start { get; init; }

    /// <summary>What can be changed later.</summary>
    public GroupSettings Settings { get; init; } = GroupSettings.Default;
}
