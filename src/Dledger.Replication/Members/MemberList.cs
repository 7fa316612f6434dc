using Dledger.Raft.Quorums;

namespace Dledger.Replication.Members;

/// <summary>Describes a configuration for status displays.</summary>
internal static class MemberList
{
    /// <summary>Every member with its role and addresses, by number.</summary>
    public static IReadOnlyList<MemberStatus> Describe(Configuration configuration, AddressBook addresses) =>
    [
        .. configuration.Members.Select(member => new MemberStatus(
            member.Node,
            member.StorageId,
            RoleOf(configuration, member),
            addresses.Find(member.Node) is { } place ? $"{place.Host}:{place.PeerPort}" : "",
            addresses.ClientAddressOf(member.Node))),
    ];

    private static MemberRole RoleOf(Configuration configuration, Member member) =>
        configuration.Learners.Contains(member) ? MemberRole.Learner
        : !configuration.StaysVoter(member) ? MemberRole.Leaving
        : configuration.Voters.Contains(member) ? MemberRole.Voter
        : MemberRole.Joining;
}
