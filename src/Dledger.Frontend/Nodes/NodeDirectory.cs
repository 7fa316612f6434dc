using System.Globalization;
using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Frontend.Nodes;

/// <summary>
/// Where clients and the other front ends reach the nodes: the members of the replication group as this node knows them, with
/// the addresses of its options where those name a node, else with what the node said of itself. Safe for any thread.
/// </summary>
internal sealed class NodeDirectory(FrontendOptions options, Func<IReadOnlyList<MemberStatus>> members)
{
    private Listing _listing = new([], []);

    /// <summary>
    /// The members whose address is known, by number; never empty. Until the log is open those that the options name.
    /// </summary>
    public IReadOnlyList<FrontendNode> Members
    {
        get
        {
            var present = members();
            var listing = Volatile.Read(ref _listing);
            if (!ReferenceEquals(listing.Of, present))
            {
                listing = new Listing(present, [.. present.Select(Describe).OfType<FrontendNode>().DistinctBy(node => node.Id)]);
                Volatile.Write(ref _listing, listing);
            }

            return listing.Nodes.Count > 0 ? listing.Nodes : options.Nodes;
        }
    }

    /// <summary>A node that is a member or that the options name; null when its address is not known.</summary>
    public FrontendNode? Find(NodeId node) =>
        options.FindNode(node) ?? Members.FirstOrDefault(member => member.Id == node);

    private FrontendNode? Describe(MemberStatus member)
    {
        if (options.FindNode(member.Node) is { } configured)
        {
            return configured;
        }

        var address = member.ClientAddress;
        var colon = address.LastIndexOf(':');
        return colon > 0 && int.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port)
            ? new FrontendNode(member.Node, address[..colon].Trim('[', ']'), port, member.PeerAddress)
            : null;
    }

    private sealed record Listing(IReadOnlyList<MemberStatus> Of, IReadOnlyList<FrontendNode> Nodes);
}
