using System.Text;
using Dledger.Broker.Groups;

namespace Dledger.Broker.Naming;

/// <summary>What cannot be done with broadcast groups.</summary>
internal static class BroadcastRules
{
    /// <summary>Null unless the group is a broadcast group: it stands nowhere, each of its clients does.</summary>
    public static Violation? CheckHasOffsets(GroupView group) => group.Settings.Broadcast
        ? new Violation(
            BrokenRule.GroupMode,
            $"the consumer group '{group.Name}' is a broadcast group: each of its clients reads on its own, so the group has no offsets "
                + "to move, no messages to replay and none that are parked")
        : null;

    /// <summary>Null when a client can be a member.</summary>
    public static Violation? CheckClient(string clientId) =>
        clientId.Length == 0
            ? new Violation(BrokenRule.ClientId, "a client of a broadcast group has an id of its own; this one has none")
        : Encoding.UTF8.GetByteCount(clientId) > Limits.MemberClientIdBytesMax
            ? new Violation(
                BrokenRule.ClientId,
                $"the id of a client of a broadcast group is longer than {Limits.MemberClientIdBytesMax} UTF-8 bytes")
            : null;

    /// <summary>Null unless a change would make a broadcast group of another one, or the other way round.</summary>
    public static Violation? CheckChange(GroupView group, GroupChange change)
    {
        if (change.Broadcast is { } wanted && wanted != group.Settings.Broadcast)
        {
            return new Violation(
                BrokenRule.GroupMode,
                $"the consumer group '{group.Name}' is {(wanted ? "no broadcast group" : "a broadcast group")} for life: "
                    + $"create another group {(wanted ? "with" : "without")} broadcast and let the clients use that");
        }

        var settings = GroupSettingsCodec.Apply(group.Settings, GroupSettingsCodec.Encode(change));
        return settings.Broadcast ? GroupRules.Check(settings) : null;
    }
}
