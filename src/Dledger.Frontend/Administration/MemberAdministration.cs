using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Dledger.Replication;

namespace Dledger.Frontend.Administration;

/// <summary>Adds and removes members, on the leader.</summary>
internal sealed class MemberAdministration(IReplicatedLog log)
{
    /// <summary>After this time the answer says what the change waits for; the asker asks again.</summary>
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(2);

    public ValueTask<LocalOutcome<ChangeMembersResponse>> AddAsync(
        AddNodeRequest request, CancellationToken cancellationToken)
    {
        var problem = FindProblem(request.NodeId)
            ?? (request.PeerPort is < 1 or > 65_535 ? $"the port {request.PeerPort} is outside 1..65535" : null)
            ?? (Uri.CheckHostName(request.Host) == UriHostNameType.Unknown
                ? $"'{request.Host}' is neither a host name nor an IP address"
                : null);
        return problem is null
            ? ChangeAsync(
                MembershipChange.Add(new ClusterMember(new NodeId(request.NodeId), request.Host, request.PeerPort)),
                cancellationToken)
            : new(Refusal(problem, "Write it as <id>=<host>:<port>, with the port for the other nodes."));
    }

    public ValueTask<LocalOutcome<ChangeMembersResponse>> RemoveAsync(
        RemoveNodeRequest request, CancellationToken cancellationToken) =>
        FindProblem(request.NodeId) is { } problem
            ? new(Refusal(problem, "'dledger node list' shows the nodes."))
            : ChangeAsync(MembershipChange.Remove(new NodeId(request.NodeId)), cancellationToken);

    private static string? FindProblem(int node) =>
        node is < 1 or > NodeId.ValueMax ? $"the node number {node} is outside 1..{NodeId.ValueMax}" : null;

    private async ValueTask<LocalOutcome<ChangeMembersResponse>> ChangeAsync(
        MembershipChange change, CancellationToken cancellationToken)
    {
        var outcome = await log.ChangeMembershipAsync(change, PatienceMax, cancellationToken);
        return outcome.Kind switch
        {
            MembershipOutcomeKind.Done => new ChangeMembersResponse { Status = StatusMapping.AdminOk(), Done = true },
            MembershipOutcomeKind.Pending => Pending(outcome.Reason),

            // Asked again it goes on where it stands, under whoever leads then.
            MembershipOutcomeKind.NotLeader or MembershipOutcomeKind.Unknown => new Broker.BrokerFailure(
                Broker.BrokerError.NotLeader, outcome.Reason),
            _ => Refusal(outcome.Reason, "'dledger node list' shows the nodes and their parts."),
        };
    }

    private static ChangeMembersResponse Pending(string reason) =>
        new() { Status = StatusMapping.AdminOk(), WaitsFor = reason };

    private static ChangeMembersResponse Refusal(string message, string hint) => new()
    {
        Status = new AdminStatus { Code = AdminCode.AdminInvalidArgument, Message = message, Hint = hint },
    };
}
