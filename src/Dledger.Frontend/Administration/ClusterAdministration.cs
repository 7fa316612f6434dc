using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Dledger.Replication;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>Shows the nodes of the cluster and moves the leadership.</summary>
internal sealed class ClusterAdministration(
    IReplicatedLog log, FrontendOptions options, LeaderRouter router, TimeProvider time)
{
    private const long LagUnknown = -1;

    /// <summary>A node that does not answer within this time is shown as unreachable.</summary>
    private static readonly TimeSpan AskTimeMax = TimeSpan.FromSeconds(1);

    /// <summary>This node, and unless only it is asked for, what all others say of themselves.</summary>
    public async Task<ClusterStatusResponse> StatusAsync(ClientCall call, ClusterStatusRequest request)
    {
        var response = new ClusterStatusResponse
        {
            Status = StatusMapping.AdminOk(),
            GroupName = options.GroupName,
        };
        var nodes = request.LocalOnly
            ? [Describe()]
            : await Task.WhenAll(options.Nodes.OrderBy(node => node.Id).Select(node => AskAsync(call, node)));
        var leader = nodes.FirstOrDefault(node => node.Serving);
        foreach (var node in nodes.Where(node => node.Role != NodeRole.Unreachable))
        {
            node.LagBytes = leader is null ? LagUnknown : Math.Max(0, leader.EndPosition - node.DurablePosition);
        }

        response.Nodes.AddRange(nodes);
        return response;
    }

    public async ValueTask<LocalOutcome<TransferLeadershipResponse>> TransferAsync(
        TransferLeadershipRequest request, CancellationToken cancellationToken)
    {
        var target = new NodeId(request.TargetNodeId);
        if (target != NodeId.None && options.FindNode(target) is null)
        {
            return new TransferLeadershipResponse
            {
                Status = Status(
                    AdminCode.AdminNotFound,
                    $"node {target} is not part of the cluster",
                    "'dledger cluster status' shows the nodes."),
                LeaderId = options.Self.Value,
            };
        }

        if (target == options.Self)
        {
            return new TransferLeadershipResponse { Status = StatusMapping.AdminOk(), LeaderId = target.Value };
        }

        var isDone = await log.TransferLeadershipAsync(target == NodeId.None ? null : target, cancellationToken);
        return new TransferLeadershipResponse
        {
            Status = isDone
                ? StatusMapping.AdminOk()
                : Status(
                    AdminCode.AdminUnavailable,
                    "nobody took the leadership over in time",
                    "Look at 'dledger cluster status' whether another node is up and near, then try again."),
            LeaderId = log.Status.Leader.Value,
        };
    }

    private static AdminStatus Status(AdminCode code, string message, string hint) =>
        new() { Code = code, Message = message, Hint = hint };

    private static NodeRole RoleOf(ReplicationRole role) => role switch
    {
        ReplicationRole.Leader => NodeRole.Leader,
        ReplicationRole.Candidate or ReplicationRole.PreCandidate => NodeRole.Candidate,
        ReplicationRole.Follower => NodeRole.Follower,
        _ => NodeRole.Passive,
    };

    private async Task<NodeStatus> AskAsync(ClientCall call, FrontendNode node)
    {
        if (node.Id == options.Self)
        {
            return Describe();
        }

        try
        {
            using var asked = router.Channels.Admin(node.Id).ClusterStatusAsync(
                new ClusterStatusRequest { LocalOnly = true },
                new CallOptions(
                    deadline: time.GetUtcNow().UtcDateTime + AskTimeMax, cancellationToken: call.CancellationToken));
            var answer = await asked.ResponseAsync;
            return answer.Nodes.FirstOrDefault() ?? Unreachable(node, "the node gave no answer");
        }
        catch (RpcException exception)
        {
            return Unreachable(node, exception.Status.Detail);
        }
    }

    private static NodeStatus Unreachable(FrontendNode node, string reason) => new()
    {
        NodeId = node.Id.Value,
        ClientAddress = node.ClientAddress,
        PeerAddress = node.PeerAddress,
        Role = NodeRole.Unreachable,
        LagBytes = LagUnknown,
        State = $"unreachable: {reason}",
    };

    private NodeStatus Describe()
    {
        var status = log.Status;
        var self = options.FindNode(options.Self);
        return new NodeStatus
        {
            NodeId = options.Self.Value,
            ClientAddress = self?.ClientAddress ?? "",
            PeerAddress = self?.PeerAddress ?? "",
            Role = RoleOf(status.Role),
            Term = status.Term.Value,
            LeaderId = status.Leader.Value,
            CommitPosition = status.Commit.Value,
            AppliedPosition = status.Applied.Value,
            EndPosition = status.End.Value,
            DurablePosition = status.Durable.Value,
            LagBytes = LagUnknown,
            Serving = status.IsServing,
            State = status.UnavailableReason ?? (status.IsStopping ? "stopping" : "ok"),
        };
    }
}
