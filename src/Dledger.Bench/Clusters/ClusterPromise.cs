using Dledger.Bench.Targets;
using Dledger.Client.Administration;

namespace Dledger.Bench.Clusters;

/// <summary>What an acknowledgement of a Dledger cluster means, from what its nodes say of themselves.</summary>
public static class ClusterPromise
{
    /// <summary>A majority of the voters has a copy, as durable as the weakest node makes it.</summary>
    public static AckPromise Of(ClusterDescription cluster)
    {
        var voters = cluster.Nodes.Where(node => node.MemberRole is MemberRole.Voter or MemberRole.Unknown).ToArray();
        var durability = voters.Where(node => node.Role != NodeRole.Unreachable)
            .Select(node => node.FlushMode switch
            {
                "QUORUM_SYNC" => AckDurability.Synced,
                "QUORUM_ASYNC" => AckDurability.PageCache,
                _ => AckDurability.Unknown,
            })
            .DefaultIfEmpty(AckDurability.Unknown)
            .Min();
        return new AckPromise(durability, (voters.Length / 2) + 1);
    }
}
