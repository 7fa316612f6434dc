using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Administration;

/// <summary>Creates and describes topics and groups, and asks the nodes how they are. Safe for any thread.</summary>
/// <remarks>Every call throws a <see cref="DledgerException"/> of a kind that says what became of it.</remarks>
public sealed class AdminClient(DledgerChannel channel)
{
    /// <summary>All topics by name.</summary>
    /// <param name="includeInternal">Also the dead letter topics.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<IReadOnlyList<TopicDescription>> ListTopicsAsync(
        bool includeInternal = false, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Listing the topics",
            (admin, options) => admin.ListTopicsAsync(new ListTopicsRequest { IncludeInternal = includeInternal }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return [.. response.Topics.Select(Describe)];
    }

    /// <summary>Creates a topic; the same one again is no failure.</summary>
    /// <returns>As created, with the defaults.</returns>
    public async Task<TopicDescription> CreateTopicAsync(TopicDescription topic, CancellationToken cancellationToken = default)
    {
        var request = new CreateTopicRequest
        {
            Topic = new Topic
            {
                Name = topic.Name,
                QueueCount = topic.QueueCount,
                RetentionTime = topic.RetentionTime is { } time ? Duration.FromTimeSpan(time) : null,
                RetentionBytes = topic.RetentionBytes ?? 0,
                IdWindowTime = topic.IdWindowTime is { } window ? Duration.FromTimeSpan(window) : null,
                IdWindowCount = topic.IdWindowCount ?? 0,
                ProduceMessagesPerSecond = topic.ProduceMessagesPerSecond ?? 0,
                ProduceBytesPerSecond = topic.ProduceBytesPerSecond ?? 0,
                LiteExpiry = topic.LiteExpiry is { } expiry ? Duration.FromTimeSpan(expiry) : null,
                LiteTopicsMax = topic.LiteTopicsMax ?? 0,
            },
        };
        request.Topic.AcceptMessageTypes.AddRange(topic.MessageTypes.Select(type => (Apache.Rocketmq.V2.MessageType)type));
        var response = await AskAsync(
            $"Creating topic '{topic.Name}'",
            (admin, options) => admin.CreateTopicAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Topic);
    }

    /// <summary>Changes a topic; what the alteration leaves out stays as it is.</summary>
    /// <returns>As it is now.</returns>
    public async Task<TopicDescription> AlterTopicAsync(
        TopicAlteration alteration, CancellationToken cancellationToken = default)
    {
        var request = new AlterTopicRequest
        {
            Name = alteration.Name,
            QueueCount = alteration.QueueCount ?? 0,
            RetentionTime = alteration.RetentionTime is { } time ? Duration.FromTimeSpan(time) : null,
            IdWindowTime = alteration.IdWindowTime is { } window ? Duration.FromTimeSpan(window) : null,
            LiteExpiry = alteration.LiteExpiry is { } expiry ? Duration.FromTimeSpan(expiry) : null,
        };
        request.AcceptMessageTypes.AddRange(
            alteration.MessageTypes.Select(type => (Apache.Rocketmq.V2.MessageType)type));
        if (alteration.RetentionBytes is { } bytes)
        {
            request.RetentionBytes = bytes;
        }

        if (alteration.LiteTopicsMax is { } lites)
        {
            request.LiteTopicsMax = lites;
        }

        if (alteration.IdWindowCount is { } count)
        {
            request.IdWindowCount = count;
        }

        if (alteration.ProduceMessagesPerSecond is { } messageRate)
        {
            request.ProduceMessagesPerSecond = messageRate;
        }

        if (alteration.ProduceBytesPerSecond is { } byteRate)
        {
            request.ProduceBytesPerSecond = byteRate;
        }

        var response = await AskAsync(
            $"Altering topic '{alteration.Name}'",
            (admin, options) => admin.AlterTopicAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Topic);
    }

    /// <summary>A topic and the offsets of its queues.</summary>
    public async Task<TopicDescription> DescribeTopicAsync(string name, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            $"Describing topic '{name}'",
            (admin, options) => admin.DescribeTopicAsync(new DescribeTopicRequest { Name = name }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Topic) with
        {
            Queues = [.. response.Queues.Select(queue => new TopicQueueRange(queue.QueueId, queue.MinOffset, queue.MaxOffset))],
        };
    }

    /// <summary>Deletes a topic and its messages.</summary>
    public Task DeleteTopicAsync(string name, CancellationToken cancellationToken = default) => AskAsync(
        $"Deleting topic '{name}'",
        (admin, options) => admin.DeleteTopicAsync(new DeleteTopicRequest { Name = name }, options),
        answer => answer.Status,
        cancellationToken);

    /// <summary>All groups by name.</summary>
    public async Task<IReadOnlyList<GroupDescription>> ListGroupsAsync(CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Listing the groups",
            (admin, options) => admin.ListGroupsAsync(new ListGroupsRequest(), options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return [.. response.Groups.Select(Describe)];
    }

    /// <summary>Creates a group; the same one again is no failure.</summary>
    /// <returns>As created, with the defaults.</returns>
    public async Task<GroupDescription> CreateGroupAsync(GroupDescription group, CancellationToken cancellationToken = default)
    {
        var request = new CreateGroupRequest
        {
            Group = new Group { Name = group.Name, Fifo = group.IsFifo, MaxAttempts = group.MaxAttempts },
        };
        request.Group.Mismatch = (MismatchPolicy)((int)group.Mismatch + 1);
        request.Group.Backoff.AddRange(group.Backoff.Select(Duration.FromTimeSpan));
        var modes = group.Modes;
        request.Group.Poison = (Protocol.Admin.V1.PoisonMode)(modes.Poison ?? 0);
        request.Group.BackoffOnExpiry = modes.BackoffOnExpiry ?? false;
        request.Group.AckMode = (Protocol.Admin.V1.AckMode)(modes.AckMode ?? 0);
        request.Group.Exclusive = modes.Exclusive ?? false;
        request.Group.MaxInFlight = modes.MaxInFlight ?? 0;
        request.Group.MaxInFlightPerClient = modes.MaxInFlightPerClient ?? 0;
        request.Group.LiteSubscriptionQuota = modes.LiteSubscriptionQuota ?? 0;
        request.Group.Expiry = (Protocol.Admin.V1.ExpiryMode)(modes.Expiry ?? 0);
        request.Group.ReceiveMessagesPerSecond = modes.ReceiveMessagesPerSecond ?? 0;
        request.Group.ReceiveBytesPerSecond = modes.ReceiveBytesPerSecond ?? 0;
        request.Group.Broadcast = modes.Broadcast ?? false;
        request.Group.MemberExpiry = modes.MemberExpiry is { } expiry ? Duration.FromTimeSpan(expiry) : null;
        request.Group.Dedup = group.Dedup?.ToWire();
        var response = await AskAsync(
            $"Creating group '{group.Name}'",
            (admin, options) => admin.CreateGroupAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Group);
    }

    /// <summary>Changes a group; what the alteration leaves out stays as it is.</summary>
    /// <returns>As it is now.</returns>
    public async Task<GroupDescription> AlterGroupAsync(
        GroupAlteration alteration, CancellationToken cancellationToken = default)
    {
        var request = new AlterGroupRequest { Name = alteration.Name };
        if (alteration.MaxAttempts is { } attempts)
        {
            request.MaxAttempts = attempts;
        }

        request.Backoff.AddRange(alteration.Backoff.Select(Duration.FromTimeSpan));
        request.Mismatch = alteration.Mismatch is { } mismatch ? (MismatchPolicy)((int)mismatch + 1) : default;
        Alter(request, alteration.Modes);
        request.Dedup = alteration.Dedup.ToWire();
        var response = await AskAsync(
            $"Altering group '{alteration.Name}'",
            (admin, options) => admin.AlterGroupAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Group);
    }

    /// <summary>Deletes a group and its progress.</summary>
    public Task DeleteGroupAsync(string name, CancellationToken cancellationToken = default) => AskAsync(
        $"Deleting group '{name}'",
        (admin, options) => admin.DeleteGroupAsync(new DeleteGroupRequest { Name = name }, options),
        answer => answer.Status,
        cancellationToken);

    /// <summary>A group and where it stands in each queue.</summary>
    public async Task<GroupDescription> DescribeGroupAsync(string name, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            $"Describing group '{name}'",
            (admin, options) => admin.DescribeGroupAsync(new DescribeGroupRequest { Name = name }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return Describe(response.Group) with
        {
            Queues =
            [
                .. response.Queues.Select(Describe),
            ],
            BroadcastMembers = response.Group.Broadcast
                ?
                [
                    .. response.BroadcastMembers.Select(static member => new BroadcastMemberDescription(
                        member.ClientId,
                        member.Joined.ToDateTimeOffset(),
                        member.Seen.ToDateTimeOffset(),
                        member.Queues.Sum(static queue => queue.LagCount),
                        [.. member.Queues.Select(Describe)])),
                ]
                : null,
            Members =
            [
                .. response.Members.Select(member => new GroupMemberDescription(
                    member.ClientId, member.Topic, member.Filter, member.Mismatch)),
            ],
        };
    }

    /// <summary>All nodes; those that do not answer are listed as unreachable.</summary>
    public async Task<ClusterDescription> DescribeClusterAsync(CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Asking for the cluster's status",
            (admin, options) => admin.ClusterStatusAsync(new ClusterStatusRequest(), options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new ClusterDescription(response.GroupName, [.. response.Nodes.Select(Describe)]);
    }

    /// <summary>Hands the leadership over.</summary>
    /// <param name="targetNodeId">0: the follower that is furthest.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    /// <returns>Who leads afterwards; 0: not known yet.</returns>
    public async Task<int> TransferLeadershipAsync(int targetNodeId = 0, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            targetNodeId == 0 ? "Transferring the leadership" : $"Transferring the leadership to node {targetNodeId}",
            (admin, options) =>
                admin.TransferLeadershipAsync(new TransferLeadershipRequest { TargetNodeId = targetNodeId }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return response.LeaderId;
    }

    /// <summary>
    /// Makes a node a voter, or replaces one that came back with another data directory. Ask again until it is done: it goes
    /// on in between, and may be asked again at any time.
    /// </summary>
    /// <param name="nodeId">Its number.</param>
    /// <param name="host">Where the other nodes reach it.</param>
    /// <param name="peerPort">Its port for the other nodes.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    public async Task<MembershipProgress> AddNodeAsync(
        int nodeId, string host, int peerPort, CancellationToken cancellationToken = default)
    {
        var request = new AddNodeRequest { NodeId = nodeId, Host = host, PeerPort = peerPort };
        var response = await AskAsync(
            $"Adding node {nodeId}",
            (admin, options) => admin.AddNodeAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new MembershipProgress(response.Done, response.WaitsFor);
    }

    /// <summary>Takes a node out. Ask again until it is done, as for adding.</summary>
    public async Task<MembershipProgress> RemoveNodeAsync(int nodeId, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            $"Removing node {nodeId}",
            (admin, options) => admin.RemoveNodeAsync(new RemoveNodeRequest { NodeId = nodeId }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new MembershipProgress(response.Done, response.WaitsFor);
    }

    /// <summary>Keeps leadership away from a node until it is undone or the node starts again.</summary>
    /// <param name="nodeId">Its number.</param>
    /// <param name="undo">Let it lead again.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    /// <returns>Who leads afterwards; 0: not known yet.</returns>
    public async Task<int> DrainNodeAsync(int nodeId, bool undo = false, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            undo ? $"Undraining node {nodeId}" : $"Draining node {nodeId}",
            (admin, options) => admin.DrainNodeAsync(new DrainNodeRequest { NodeId = nodeId, Undo = undo }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return response.LeaderId;
    }

    private Task<T> AskAsync<T>(
        string operation,
        Func<AdminService.AdminServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.Admin, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);

    private static TopicDescription Describe(Topic topic) =>
        new(topic.Name, topic.QueueCount, [.. topic.AcceptMessageTypes.Select(type => (MessageType)type)])
        {
            RetentionTime = topic.RetentionTime?.ToTimeSpan(),
            RetentionBytes = topic.RetentionBytes == 0 ? null : topic.RetentionBytes,
            IdWindowTime = topic.IdWindowTime?.ToTimeSpan(),
            IdWindowCount = topic.IdWindowCount == 0 ? null : topic.IdWindowCount,
            ProduceMessagesPerSecond = topic.ProduceMessagesPerSecond == 0 ? null : topic.ProduceMessagesPerSecond,
            ProduceBytesPerSecond = topic.ProduceBytesPerSecond == 0 ? null : topic.ProduceBytesPerSecond,
            LiteExpiry = topic.LiteExpiry?.ToTimeSpan(),
            LiteTopicsMax = topic.LiteExpiry is null ? null : topic.LiteTopicsMax,
            LiteTopicCount = topic.LiteExpiry is null ? null : topic.LiteTopicCount,
        };

    private static GroupQueueProgress Describe(GroupQueue queue) => new(
        queue.Topic, queue.QueueId, queue.CommittedOffset, queue.MaxOffset, queue.InFlightCount, queue.LagCount);

    internal static GroupDescription Describe(Group group) => new(group.Name, group.Fifo, group.MaxAttempts)
    {
        Backoff = [.. group.Backoff.Select(wait => wait.ToTimeSpan())],
        Mismatch = group.Mismatch == MismatchPolicy.Reject ? FilterMismatch.Reject : FilterMismatch.Report,
        Modes = new GroupModes
        {
            Poison = (PoisonMode)group.Poison,
            BackoffOnExpiry = group.BackoffOnExpiry,
            AckMode = (AckMode)group.AckMode,
            Exclusive = group.Exclusive,
            MaxInFlight = group.MaxInFlight,
            LiteSubscriptionQuota = group.LiteSubscriptionQuota,
            MaxInFlightPerClient = group.MaxInFlightPerClient,
            Expiry = (ExpiryMode)group.Expiry,
            ReceiveMessagesPerSecond = group.ReceiveMessagesPerSecond == 0 ? null : group.ReceiveMessagesPerSecond,
            ReceiveBytesPerSecond = group.ReceiveBytesPerSecond == 0 ? null : group.ReceiveBytesPerSecond,
            Broadcast = group.Broadcast ? true : null,
            MemberExpiry = group.MemberExpiry?.ToTimeSpan(),
        },
        Dedup = GroupDedup.Of(group.Dedup),
        Pause = group.Pause is { } pause
            ? new GroupPause(pause.Reason, pause.Since.ToDateTimeOffset(), pause.Until?.ToDateTimeOffset())
            : null,
    };

    private static void Alter(AlterGroupRequest request, GroupModes modes)
    {
        if (modes.Poison is { } poison)
        {
            request.Poison = (Protocol.Admin.V1.PoisonMode)poison;
        }

        if (modes.BackoffOnExpiry is { } backoffOnExpiry)
        {
            request.BackoffOnExpiry = backoffOnExpiry;
        }

        if (modes.AckMode is { } ackMode)
        {
            request.AckMode = (Protocol.Admin.V1.AckMode)ackMode;
        }

        if (modes.Exclusive is { } exclusive)
        {
            request.Exclusive = exclusive;
        }

        if (modes.MaxInFlight is { } maxInFlight)
        {
            request.MaxInFlight = maxInFlight;
        }

        if (modes.LiteSubscriptionQuota is { } quota)
        {
            request.LiteSubscriptionQuota = quota;
        }

        if (modes.MaxInFlightPerClient is { } maxInFlightPerClient)
        {
            request.MaxInFlightPerClient = maxInFlightPerClient;
        }

        if (modes.Expiry is { } expiry)
        {
            request.Expiry = (Protocol.Admin.V1.ExpiryMode)expiry;
        }

        if (modes.ReceiveMessagesPerSecond is { } messages)
        {
            request.ReceiveMessagesPerSecond = messages;
        }

        if (modes.ReceiveBytesPerSecond is { } bytes)
        {
            request.ReceiveBytesPerSecond = bytes;
        }

        if (modes.Broadcast is { } broadcast)
        {
            request.Broadcast = broadcast;
        }

        if (modes.MemberExpiry is { } memberExpiry)
        {
            request.MemberExpiry = Duration.FromTimeSpan(memberExpiry);
        }
    }

    private static NodeDescription Describe(NodeStatus node) => new()
    {
        NodeId = node.NodeId,
        ClientAddress = node.ClientAddress,
        PeerAddress = node.PeerAddress,
        Role = (NodeRole)node.Role,
        Term = node.Term,
        LeaderId = node.LeaderId,
        CommitPosition = node.CommitPosition,
        AppliedPosition = node.AppliedPosition,
        EndPosition = node.EndPosition,
        DurablePosition = node.DurablePosition,
        LagBytes = node.LagBytes,
        IsServing = node.Serving,
        State = node.State,
        MemberRole = (MemberRole)node.MemberRole,
        IsDrained = node.Drained,
        FlushMode = node.FlushMode,
        Version = node.Version,
    };
}
