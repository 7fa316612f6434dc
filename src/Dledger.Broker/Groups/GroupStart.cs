namespace Dledger.Broker.Groups;

/// <summary>Where a group begins in a topic that it reads for the first time. Persisted numbers.</summary>
public enum GroupStart : byte
{
    /// <summary>With the oldest message that is kept: nothing is missed. Our default.</summary>
    Earliest = 0,

    /// <summary>With messages that arrive after the group's first receive (RocketMQ's default).</summary>
    Latest = 1,
}
