namespace Dledger.Broker.Groups;

/// <summary>Whose a member group is.</summary>
/// <param name="GroupId">The broadcast group.</param>
/// <param name="ClientId">Its client.</param>
public readonly record struct Membership(int GroupId, string ClientId);
