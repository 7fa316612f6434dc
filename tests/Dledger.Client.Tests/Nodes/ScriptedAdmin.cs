using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Tests.Nodes;

/// <summary>The admin service with one topic, one group and three nodes, unless a test sets a status of its own.</summary>
internal sealed class ScriptedAdmin : AdminService.AdminServiceBase
{
    /// <summary>What every answer says.</summary>
    public AdminStatus Status { get; set; } = new() { Code = AdminCode.AdminOk };

    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListTopicsResponse { Status = Status, Topics = { Orders(), Orders("payments", 1) } });

    public override Task<CreateTopicResponse> CreateTopic(CreateTopicRequest request, ServerCallContext context) =>
        Task.FromResult(new CreateTopicResponse
        {
            Status = Status,
            Topic = Limited(
                Keeping(
                    Orders(request.Topic.Name, request.Topic.QueueCount == 0 ? 4 : request.Topic.QueueCount),
                    request.Topic.RetentionTime,
                    request.Topic.RetentionBytes),
                request.Topic.ProduceMessagesPerSecond,
                request.Topic.ProduceBytesPerSecond),
        });

    public override Task<AlterTopicResponse> AlterTopic(AlterTopicRequest request, ServerCallContext context) =>
        Task.FromResult(new AlterTopicResponse
        {
            Status = Status,
            Topic = Limited(
                Keeping(Orders(request.Name), request.RetentionTime, request.RetentionBytes),
                request.ProduceMessagesPerSecond,
                request.ProduceBytesPerSecond),
        });

    public override Task<DescribeTopicResponse> DescribeTopic(DescribeTopicRequest request, ServerCallContext context) =>
        Task.FromResult(new DescribeTopicResponse
        {
            Status = Status,
            Topic = request.Name == "metrics"
                ? Keeping(Orders("metrics"), Duration.FromTimeSpan(TimeSpan.FromHours(2)), 10L << 30)
                : Limited(Orders(request.Name), request.Name == "limited" ? 500 : 0, 0),
            Queues =
            {
                new TopicQueue { QueueId = 0, MinOffset = 0, MaxOffset = 120 },
                new TopicQueue { QueueId = 1, MinOffset = 10, MaxOffset = 1_000 },
            },
        });

    public override Task<DeleteTopicResponse> DeleteTopic(DeleteTopicRequest request, ServerCallContext context) =>
        Task.FromResult(new DeleteTopicResponse { Status = Status });

    public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListGroupsResponse { Status = Status, Groups = { Shippers() } });

    public override Task<CreateGroupResponse> CreateGroup(CreateGroupRequest request, ServerCallContext context) =>
        Task.FromResult(new CreateGroupResponse
        {
            Status = Status,
            Group = Limited(
                Shippers(request.Group.Name), request.Group.ReceiveMessagesPerSecond, request.Group.ReceiveBytesPerSecond),
        });

    public override Task<AlterGroupResponse> AlterGroup(AlterGroupRequest request, ServerCallContext context)
    {
        var group = Shippers(request.Name);
        group.MaxAttempts = request.HasMaxAttempts ? request.MaxAttempts : group.MaxAttempts;
        group.Backoff.AddRange(request.Backoff);
        Limited(group, request.ReceiveMessagesPerSecond, request.ReceiveBytesPerSecond);
        return Task.FromResult(new AlterGroupResponse { Status = Status, Group = group });
    }

    public override Task<DeleteGroupResponse> DeleteGroup(DeleteGroupRequest request, ServerCallContext context) =>
        Task.FromResult(new DeleteGroupResponse { Status = Status });

    public override Task<DescribeGroupResponse> DescribeGroup(DescribeGroupRequest request, ServerCallContext context) =>
        Task.FromResult(new DescribeGroupResponse
        {
            Status = Status,
            Group = Limited(Shippers(request.Name), 0, request.Name == "limited" ? 1 << 20 : 0),
            Queues =
            {
                new GroupQueue { Topic = "orders", QueueId = 0, CommittedOffset = 100, MaxOffset = 120, InFlightCount = 5, LagCount = 20 },
                new GroupQueue { Topic = "orders", QueueId = 1, CommittedOffset = 1_000, MaxOffset = 1_000 },
            },
        });

    private static Topic Limited(Topic topic, long messages, long bytes)
    {
        topic.ProduceMessagesPerSecond = messages;
        topic.ProduceBytesPerSecond = bytes;
        return topic;
    }

    private static Group Limited(Group group, long messages, long bytes)
    {
        group.ReceiveMessagesPerSecond = messages;
        group.ReceiveBytesPerSecond = bytes;
        return group;
    }

    public override Task<ClusterStatusResponse> ClusterStatus(ClusterStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new ClusterStatusResponse
        {
            Status = Status,
            GroupName = "dledger-0",
            Nodes =
            {
                Node(1, NodeRole.Follower, lag: 64),
                Node(2, NodeRole.Leader, lag: 0),
                new NodeStatus
                {
                    NodeId = 3, ClientAddress = "10.0.0.3:8081", PeerAddress = "10.0.0.3:9081", Role = NodeRole.Unreachable,
                    LagBytes = -1, State = "no answer", MemberRole = MemberRole.MemberLearner,
                },
            },
        });

    public override Task<TransferLeadershipResponse> TransferLeadership(
        TransferLeadershipRequest request, ServerCallContext context) =>
        Task.FromResult(new TransferLeadershipResponse { Status = Status, LeaderId = request.TargetNodeId });

    /// <summary>How many asks a change of the members takes.</summary>
    public int MembershipAsks { get; set; } = 1;

    public override Task<ChangeMembersResponse> AddNode(AddNodeRequest request, ServerCallContext context) =>
        Task.FromResult(Change($"node {request.NodeId} cannot be reached at {request.Host}:{request.PeerPort}"));

    public override Task<ChangeMembersResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context) =>
        Task.FromResult(Change("another change of the members is under way"));

    public override Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context) =>
        Task.FromResult(new DrainNodeResponse { Status = Status, LeaderId = 1 });

    private ChangeMembersResponse Change(string waitsFor) =>
        --MembershipAsks <= 0
            ? new ChangeMembersResponse { Status = Status, Done = true }
            : new ChangeMembersResponse { Status = Status, WaitsFor = waitsFor };

    // As a server answers it: what is zero is not there.
    private static Topic Keeping(Topic topic, Duration? time, long bytes)
    {
        topic.RetentionTime = time?.ToTimeSpan() > TimeSpan.Zero ? time : null;
        topic.RetentionBytes = bytes;
        return topic;
    }

    private static Topic Orders(string name = "orders", int queues = 2) => new()
    {
        Name = name,
        QueueCount = queues,
        AcceptMessageTypes = { Apache.Rocketmq.V2.MessageType.Normal },
    };

    private static Group Shippers(string name = "shippers") => new() { Name = name, MaxAttempts = 17 };

    private static NodeStatus Node(int id, NodeRole role, long lag) => new()
    {
        NodeId = id,
        ClientAddress = $"10.0.0.{id}:8081",
        PeerAddress = $"10.0.0.{id}:9081",
        Role = role,
        Term = 7,
        LeaderId = 2,
        CommitPosition = 4_096,
        AppliedPosition = 4_096 - lag,
        EndPosition = 4_160,
        DurablePosition = 4_160 - lag,
        LagBytes = lag,
        Serving = role == NodeRole.Leader,
        State = "ok",
        MemberRole = MemberRole.MemberVoter,
        Drained = id == 1,
        FlushMode = "QUORUM_SYNC",
        Version = "0.1.0",
    };
}
