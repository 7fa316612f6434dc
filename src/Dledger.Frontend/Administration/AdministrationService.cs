using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Dledger.Replication;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of the cluster. Only dispatches; any node answers, what needs the leader goes
/// there.</summary>
public sealed class AdministrationService : AdminService.AdminServiceBase
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaderRouter _router;
    private readonly ClusterAdministration _cluster;
    private readonly AdminCall<ListTopicsRequest, ListTopicsResponse> _listTopics;
    private readonly AdminCall<CreateTopicRequest, CreateTopicResponse> _createTopic;
    private readonly AdminCall<AlterTopicRequest, AlterTopicResponse> _alterTopic;
    private readonly AdminCall<DescribeTopicRequest, DescribeTopicResponse> _describeTopic;
    private readonly AdminCall<DeleteTopicRequest, DeleteTopicResponse> _deleteTopic;
    private readonly AdminCall<ListGroupsRequest, ListGroupsResponse> _listGroups;
    private readonly AdminCall<CreateGroupRequest, CreateGroupResponse> _createGroup;
    private readonly AdminCall<AlterGroupRequest, AlterGroupResponse> _alterGroup;
    private readonly AdminCall<DeleteGroupRequest, DeleteGroupResponse> _deleteGroup;
    private readonly AdminCall<DescribeGroupRequest, DescribeGroupResponse> _describeGroup;
    private readonly AdminCall<TransferLeadershipRequest, TransferLeadershipResponse> _transferLeadership;
    private readonly AdminCall<AddNodeRequest, ChangeMembersResponse> _addNode;
    private readonly AdminCall<RemoveNodeRequest, ChangeMembersResponse> _removeNode;

    internal AdministrationService(
        BrokerNode broker,
        IReplicatedLog log,
        FrontendOptions options,
        LeaderRouter router,
        TimeProvider time,
        ILogger logger)
    {
        _time = time;
        _logger = logger;
        _router = router;
        _cluster = new ClusterAdministration(log, options, router, time);
        var topics = new TopicAdministration(broker, options);
        var groups = new GroupAdministration(broker);
        _listTopics = new(
            "ListTopics", true, topics.ListAsync, (c, r, o) => c.ListTopicsAsync(r, o), s => new() { Status = s });
        _createTopic = new(
            "CreateTopic", true, topics.CreateAsync, (c, r, o) => c.CreateTopicAsync(r, o), s => new() { Status = s });
        _alterTopic = new(
            "AlterTopic", true, topics.AlterAsync, (c, r, o) => c.AlterTopicAsync(r, o), s => new() { Status = s });
        _describeTopic = new(
            "DescribeTopic", true, topics.DescribeAsync, (c, r, o) => c.DescribeTopicAsync(r, o),
            s => new() { Status = s });

        // Not repeated: the second try of a deletion that took effect would say that there is no such topic.
        _deleteTopic = new(
            "DeleteTopic", false, topics.DeleteAsync, (c, r, o) => c.DeleteTopicAsync(r, o), s => new() { Status = s });
        _listGroups = new(
            "ListGroups", true, groups.ListAsync, (c, r, o) => c.ListGroupsAsync(r, o), s => new() { Status = s });
        _createGroup = new(
            "CreateGroup", true, groups.CreateAsync, (c, r, o) => c.CreateGroupAsync(r, o), s => new() { Status = s });
        _alterGroup = new(
            "AlterGroup", true, groups.AlterAsync, (c, r, o) => c.AlterGroupAsync(r, o), s => new() { Status = s });
        _deleteGroup = new(
            "DeleteGroup", false, groups.DeleteAsync, (c, r, o) => c.DeleteGroupAsync(r, o), s => new() { Status = s });
        _describeGroup = new(
            "DescribeGroup", true, groups.DescribeAsync, (c, r, o) => c.DescribeGroupAsync(r, o),
            s => new() { Status = s });
        _transferLeadership = new(
            "TransferLeadership", false, _cluster.TransferAsync, (c, r, o) => c.TransferLeadershipAsync(r, o),
            s => new() { Status = s })
        {
            MovesLeadership = true,
        };
        var members = new MemberAdministration(log);
        _addNode = new(
            "AddNode", true, members.AddAsync, (c, r, o) => c.AddNodeAsync(r, o), s => new() { Status = s });
        _removeNode = new(
            "RemoveNode", true, members.RemoveAsync, (c, r, o) => c.RemoveNodeAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context) =>
        RunAsync(_listTopics, request, context);

    /// <inheritdoc/>
    public override Task<CreateTopicResponse> CreateTopic(CreateTopicRequest request, ServerCallContext context) =>
        RunAsync(_createTopic, request, context);

    /// <inheritdoc/>
    public override Task<AlterTopicResponse> AlterTopic(AlterTopicRequest request, ServerCallContext context) =>
        RunAsync(_alterTopic, request, context);

    /// <inheritdoc/>
    public override Task<DescribeTopicResponse> DescribeTopic(
        DescribeTopicRequest request, ServerCallContext context) => RunAsync(_describeTopic, request, context);

    /// <inheritdoc/>
    public override Task<DeleteTopicResponse> DeleteTopic(DeleteTopicRequest request, ServerCallContext context) =>
        RunAsync(_deleteTopic, request, context);

    /// <inheritdoc/>
    public override Task<ListGroupsResponse> ListGroups(ListGroupsRequest request, ServerCallContext context) =>
        RunAsync(_listGroups, request, context);

    /// <inheritdoc/>
    public override Task<CreateGroupResponse> CreateGroup(CreateGroupRequest request, ServerCallContext context) =>
        RunAsync(_createGroup, request, context);

    /// <inheritdoc/>
    public override Task<AlterGroupResponse> AlterGroup(AlterGroupRequest request, ServerCallContext context) =>
        RunAsync(_alterGroup, request, context);

    /// <inheritdoc/>
    public override Task<DeleteGroupResponse> DeleteGroup(DeleteGroupRequest request, ServerCallContext context) =>
        RunAsync(_deleteGroup, request, context);

    /// <inheritdoc/>
    public override Task<DescribeGroupResponse> DescribeGroup(
        DescribeGroupRequest request, ServerCallContext context) => RunAsync(_describeGroup, request, context);

    /// <inheritdoc/>
    public override Task<ClusterStatusResponse> ClusterStatus(
        ClusterStatusRequest request, ServerCallContext context) =>
        _cluster.StatusAsync(new ClientCall(context, _time), request);

    /// <inheritdoc/>
    public override Task<TransferLeadershipResponse> TransferLeadership(
        TransferLeadershipRequest request, ServerCallContext context) =>
        RunAsync(_transferLeadership, request, context);

    /// <inheritdoc/>
    public override Task<ChangeMembersResponse> AddNode(AddNodeRequest request, ServerCallContext context) =>
        RunAsync(_addNode, request, context);

    /// <inheritdoc/>
    public override Task<ChangeMembersResponse> RemoveNode(RemoveNodeRequest request, ServerCallContext context) =>
        RunAsync(_removeNode, request, context);

    /// <inheritdoc/>
    public override Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context) =>
        _cluster.DrainAsync(new ClientCall(context, _time), request);

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        AdminCall<TRequest, TResponse> admin, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(admin, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return admin.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
