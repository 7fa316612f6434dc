namespace Dledger.Chaos.Faults;

/// <summary>Which nodes a fault hits.</summary>
internal enum Victims
{
    Leader,
    Follower,

    /// <summary>The smallest majority, with the leader.</summary>
    Majority,
    All,
}
