using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Dledger.Replication;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of the cluster. Only dispatches; any node answers, what needs the leader goes
/// there.</summary>
public sealed class AdministrationService : AdminService.AdminServiceBase
{
    private readonly CallGuard _guard;
    private readonly ClusterAdministration _cluster;
    private readonly LeaderCall<ListTopicsRequest, ListTopicsResponse> _listTopics;
    private readonly LeaderCall<CreateTopicRequest, CreateTopicResponse> _createTopic;
    private readonly LeaderCall<AlterTopicRequest, AlterTopicResponse> _alterTopic;
    private readonly LeaderCall<DescribeTopicRequest, DescribeTopicResponse> _describeTopic;
    private readonly LeaderCall<DeleteTopicRequest, DeleteTopicResponse> _deleteTopic;
    private readonly LeaderCall<ListGroupsRequest, ListGroupsResponse> _listGroups;
    private readonly LeaderCall<CreateGroupRequest, CreateGroupResponse> _createGroup;
    private readonly LeaderCall<AlterGroupRequest, AlterGroupResponse> _alterGroup;
    private readonly LeaderCall<DeleteGroupRequest, DeleteGroupResponse> _deleteGroup;
    private readonly LeaderCall<DescribeGroupRequest, DescribeGroupResponse> _describeGroup;
    private readonly LeaderCall<TransferLeadershipRequest, TransferLeadershipResponse> _transferLeadership;
    private readonly LeaderCall<AddNodeRequest, ChangeMembersResponse> _addNode;
    private readonly LeaderCall<RemoveNodeRequest, ChangeMembersResponse> _removeNode;

    internal AdministrationService(
        BrokerNode broker,
        IReplicatedLog log,
        FrontendOptions options,
        LeaderRouter router,
        CallGuard guard,
        TimeProvider time)
    {
        _guard = guard;
        _cluster = new ClusterAdministration(log, options, router, time);
        var topics = new TopicAdministration(broker, options);
        var groups = new GroupAdministration(broker);
        _listTopics = new(
            "ListTopics", true, topics.ListAsync, (c, n, r, o) => c.Admin(n).ListTopicsAsync(r, o), s => new() { Status = s });
        _createTopic = new(
            "CreateTopic", true, topics.CreateAsync, (c, n, r, o) => c.Admin(n).CreateTopicAsync(r, o), s => new() { Status = s });
        _alterTopic = new(
            "AlterTopic", true, topics.AlterAsync, (c, n, r, o) => c.Admin(n).AlterTopicAsync(r, o), s => new() { Status = s });
        _describeTopic = new(
            "DescribeTopic", true, topics.DescribeAsync, (c, n, r, o) => c.Admin(n).DescribeTopicAsync(r, o),
            s => new() { Status = s });

        // Not repeated: the second try of a deletion that took effect would say that there is no such topic.
        _deleteTopic = new(
            "DeleteTopic", false, topics.DeleteAsync, (c, n, r, o) => c.Admin(n).DeleteTopicAsync(r, o), s => new() { Status = s });
        _listGroups = new(
            "ListGroups", true, groups.ListAsync, (c, n, r, o) => c.Admin(n).ListGroupsAsync(r, o), s => new() { Status = s });
        _createGroup = new(
            "CreateGroup", true, groups.CreateAsync, (c, n, r, o) => c.Admin(n).CreateGroupAsync(r, o), s => new() { Status = s });
        _alterGroup = new(
            "AlterGroup", true, groups.AlterAsync, (c, n, r, o) => c.Admin(n).AlterGroupAsync(r, o), s => new() { Status = s });
        _deleteGroup = new(
            "DeleteGroup", false, groups.DeleteAsync, (c, n, r, o) => c.Admin(n).DeleteGroupAsync(r, o), s => new() { Status = s });
        _describeGroup = new(
            "DescribeGroup", true, groups.DescribeAsync, (c, n, r, o) => c.Admin(n).DescribeGroupAsync(r, o),
            s => new() { Status = s });
        _transferLeadership = new(
            "TransferLeadership", false, _cluster.TransferAsync, (c, n, r, o) => c.Admin(n).TransferLeadershipAsync(r, o),
            s => new() { Status = s })
        {
            MovesLeadership = true,
        };
        var members = new MemberAdministration(log);
        _addNode = new(
            "AddNode", true, members.AddAsync, (c, n, r, o) => c.Admin(n).AddNodeAsync(r, o), s => new() { Status = s });
        _removeNode = new(
            "RemoveNode", true, members.RemoveAsync, (c, n, r, o) => c.Admin(n).RemoveNodeAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) =>
        _guard.RunAsync(_listTopics, request, context);

    /// <inheritdoc/>
    public override Task<CreateTopicResponse> CreateTopic(CreateTopicRequest request, ServerCallContext context) =>
        _guard.RunAsync(_createTopic, request, context);

    /// <inheritdoc/>
    public override Task<AlterTopicResponse> AlterTopic(AlterTopicRequest request, ServerCallContext context) =>
        _guard.RunAsync(_alterTopic, request, context);

    /// <inheritdoc/>
    public override Task<DescribeTopicResponse> DescribeTopic(
        DescribeTopicRequest request, ServerCallContext context) => _guard.RunAsync(_describeTopic, request, context);

    /// <inheritdoc/>
    public override Task<DeleteTopicResponse> DeleteTopic(DeleteTopicRequest request, ServerCallContext context) =>
        _guard.RunAsync(_deleteTopic, request, context);

    /// <inheritdoc/>
    public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context) =>
        _guard.RunAsync(_listGroups, request, context);

    /// <inheritdoc/>
    public override Task<CreateGroupResponse> CreateGroup(CreateGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_createGroup, request, context);

    /// <inheritdoc/>
    public override Task<AlterGroupResponse> AlterGroup(AlterGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_alterGroup, request, context);

    /// <inheritdoc/>
    public override Task<DeleteGroupResponse> DeleteGroup(DeleteGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_deleteGroup, request, context);

    /// <inheritdoc/>
    public override Task<DescribeGroupResponse> DescribeGroup(
        DescribeGroupRequest request, ServerCallContext context) => _guard.RunAsync(_describeGroup, request, context);

    /// <inheritdoc/>
    public override Task<ClusterStatusResponse> ClusterStatus(
        ClusterStatusRequest request, ServerCallContext context) =>
        _guard.RunHereAsync(
            context,
            call => _cluster.StatusAsync(call, request),
            static failure => new() { Status = StatusMapping.AdminOf(failure) });

    /// <inheritdoc/>
    public override Task<TransferLeadershipResponse> TransferLeadership(
        TransferLeadershipRequest request, ServerCallContext context) =>
        _guard.RunAsync(_transferLeadership, request, context);

    /// <inheritdoc/>
    public override Task<ChangeMembersResponse> AddNode(AddNodeRequest request, ServerCallContext context) =>
        _guard.RunAsync(_addNode, request, context);

    /// <inheritdoc/>
    public override Task<ChangeMembersResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context) =>
        _guard.RunAsync(_removeNode, request, context);

    /// <inheritdoc/>
    public override Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context) =>
        _guard.RunHereAsync(
            context,
            call => _cluster.DrainAsync(call, request),
            static failure => new() { Status = StatusMapping.AdminOf(failure) });
}
