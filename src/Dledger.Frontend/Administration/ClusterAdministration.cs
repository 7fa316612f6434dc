using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Dledger.Replication;
using Grpc.Core;
using MemberRole = Dledger.Protocol.Admin.V1.MemberRole;

namespace Dledger.Frontend.Administration;

/// <summary>Shows the nodes of the cluster and moves the leadership.</summary>
internal sealed class ClusterAdministration(
    IReplicatedLog log, FrontendOptions options, LeaderRouter router, TimeProvider time)
{
    private const long LagUnknown = -1;

    private static readonly string Version = typeof(ClusterAdministration).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>A node that does not answer within this time is shown as unreachable.</summary>
    private static readonly TimeSpan AskTimeMax = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan DrainTimeMax = TimeSpan.FromSeconds(5);

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
            : await Task.WhenAll(Listed().Select(node => AskAsync(call, node)));
        var leader = nodes.FirstOrDefault(node => node.Serving);
        if (!request.LocalOnly && log.Status is { Leader: var known, Members: { Count: > 0 } members } && known != NodeId.None)
        {
            foreach (var node in nodes)
            {
                node.MemberRole = RoleOf(new NodeId(node.NodeId), members);
            }
        }

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
        if (target != NodeId.None && router.Nodes.Find(target) is null)
        {
            return new TransferLeadershipResponse
            {
                Status = NotANode(target),
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

    /// <summary>Drains the node that the request names, wherever it is.</summary>
    public async Task<DrainNodeResponse> DrainAsync(ClientCall call, DrainNodeRequest request)
    {
        var target = new NodeId(request.NodeId);
        if (target == options.Self)
        {
            return await DrainSelfAsync(request.Undo, call.CancellationToken);
        }

        if (router.Nodes.Find(target) is null)
        {
            return new DrainNodeResponse { Status = NotANode(target), LeaderId = log.Status.Leader.Value };
        }

        try
        {
            using var asked = router.Channels.Admin(target).DrainNodeAsync(
                request,
                new CallOptions(
                    deadline: time.GetUtcNow().UtcDateTime + DrainTimeMax, cancellationToken: call.CancellationToken));
            return await asked.ResponseAsync;
        }
        catch (RpcException exception)
        {
            return new DrainNodeResponse
            {
                Status = Status(
                    AdminCode.AdminUnavailable,
                    $"node {target} does not answer: {exception.Status.Detail}",
                    "A node that is down does not lead; drain it when it runs again."),
                LeaderId = log.Status.Leader.Value,
            };
        }
    }

    private async Task<DrainNodeResponse> DrainSelfAsync(bool isUndone, CancellationToken cancellationToken)
    {
        if (!await log.DrainAsync(!isUndone, cancellationToken))
        {
            return new DrainNodeResponse
            {
                Status = Status(
                    AdminCode.AdminUnavailable, log.Status.UnavailableReason ?? "the node takes no part at the moment", ""),
            };
        }

        var hasLeft = isUndone || log.Status.Role != ReplicationRole.Leader
            || await log.TransferLeadershipAsync(null, cancellationToken);
        return new DrainNodeResponse
        {
            Status = hasLeft
                ? StatusMapping.AdminOk()
                : Status(
                    AdminCode.AdminUnavailable,
                    $"node {options.Self} is drained, but nobody could take the leadership over yet",
                    "It hands over as soon as another voter is up and near; 'dledger node list' shows them."),
            LeaderId = log.Status.Leader.Value,
        };
    }

    private static AdminStatus NotANode(NodeId node) => Status(
        AdminCode.AdminNotFound, $"node {node} is not part of the cluster", "'dledger node list' shows the nodes.");

    private static AdminStatus Status(AdminCode code, string message, string hint) =>
        new() { Code = code, Message = message, Hint = hint };

    private static NodeRole RoleOf(ReplicationRole role) => role switch
    {
        ReplicationRole.Leader => NodeRole.Leader,
        ReplicationRole.Candidate or ReplicationRole.PreCandidate => NodeRole.Candidate,
        ReplicationRole.Follower => NodeRole.Follower,
        _ => NodeRole.Passive,
    };

    // A node with two data directories is shown with the one that is about to count.
    private static MemberRole RoleOf(NodeId node, IReadOnlyList<MemberStatus> members) => members
        .Where(member => member.Node == node)
        .Select(member => member.Role switch
        {
            Replication.MemberRole.Joining => MemberRole.MemberJoining,
            Replication.MemberRole.Learner => MemberRole.MemberLearner,
            Replication.MemberRole.Voter => MemberRole.MemberVoter,
            _ => MemberRole.MemberLeaving,
        })
        .OrderBy(role => role switch
        {
            MemberRole.MemberJoining => 0,
            MemberRole.MemberLearner => 1,
            MemberRole.MemberVoter => 2,
            _ => 3,
        })
        .FirstOrDefault(MemberRole.MemberNone);

    /// <summary>All members, and this node though it be none; before the log is open those of the options.</summary>
    private IEnumerable<FrontendNode> Listed()
    {
        var members = log.Status.Members;
        var ids = members.Count == 0
            ? options.Nodes.Select(node => node.Id)
            : members.Select(member => member.Node).Append(options.Self);
        return ids.Distinct().Order().Select(id => router.Nodes.Find(id)
            ?? new FrontendNode(id, "", 0, members.First(member => member.Node == id).PeerAddress));
    }

    private async Task<NodeStatus> AskAsync(ClientCall call, FrontendNode node)
    {
        if (node.Id == options.Self)
        {
            return Describe();
        }

        if (node.ClientPort == 0)
        {
            return Unreachable(node, "it has not said yet where clients reach it");
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
        ClientAddress = node.ClientPort == 0 ? "" : node.ClientAddress,
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
            State = StateOf(status),
            MemberRole = status.Members.Count == 0 ? MemberRole.Unspecified
                : status.IsMember ? RoleOf(options.Self, status.Members)
                : MemberRole.MemberNone,
            Drained = status.IsDrained,
            FlushMode = options.FlushMode,
            Version = Version,
        };
    }

    private static string StateOf(ReplicationStatus status) =>
        status.UnavailableReason is { } reason ? reason
        : status.IsStopping ? "stopping"
        : status.HasLoss ? "may have lost messages when its machine stopped; decides nothing until it has caught up"
        : !status.IsMember && status.Members.Count > 0 ? "not a member; 'dledger node add' makes it one"
        : "ok";
}
