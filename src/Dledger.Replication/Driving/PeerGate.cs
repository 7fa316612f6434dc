using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;
using Dledger.Replication.Bulk;
using Dledger.Replication.Clocks;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Storage.Frames;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Driving;

/// <summary>
/// The gate between the transport's threads and the loop: who may talk to this node, and which bytes pass.
/// </summary>
/// <remarks>
/// A range of frames is checked completely here, before the loop sees it (invariant I16). Safe for any thread.
/// </remarks>
internal sealed class PeerGate(
    ReplicationOptions options,
    Guid storageId,
    int frameBytesMax,
    LoopInbox inbox,
    LogClock clock,
    BulkServer bulk,
    AddressBook addresses,
    Func<NodePicture> picture) : IPeerEvents
{
    private Genesis? _genesis;
    private ClusterSeed _seed;

    /// <summary>From now on only members of this cluster may talk, and frames are checked with its seed.</summary>
    public void Admit(Genesis genesis)
    {
        _seed = ClusterSeed.Of(genesis.ClusterId, options.Group);
        Volatile.Write(ref _genesis, genesis);
    }

    /// <inheritdoc/>
    public PeerIntroduction Introduce()
    {
        var now = picture();
        var genesis = Volatile.Read(ref _genesis);
        return new PeerIntroduction
        {
            Group = options.Group,
            Node = options.Self,
            ClusterId = genesis?.ClusterId ?? Guid.Empty,
            StorageId = storageId,
            State = genesis is not null && now.State == PeerState.Fresh ? PeerState.Normal : now.State,
            Term = now.DurableTerm,
            LastTerm = now.LastTerm,
            Start = now.Start,
            End = now.End,
            Durable = now.Durable,
            WallClock = clock.WallNow(),
            ClientAddress = options.ClientAddress,
        };
    }

    /// <inheritdoc/>
    public string? Judge(PeerIntroduction introduction)
    {
        var node = introduction.Node;
        if (node == options.Self)
        {
            return $"node {node} is the number of the node that was asked";
        }

        if (Volatile.Read(ref _genesis) is not { } genesis)
        {
            // A node that is no part of anything takes its cluster from those alone that it was told of.
            return options.Members.All(member => member.Node != node)
                ? $"node {node} is not among the nodes that node {options.Self}, which is new, was configured with"
                : null;
        }

        if (introduction.ClusterId != Guid.Empty && introduction.ClusterId != genesis.ClusterId)
        {
            return $"node {node} belongs to cluster {introduction.ClusterId}, "
                + $"node {options.Self} to cluster {genesis.ClusterId}";
        }

        // Member or not: one that comes may know a configuration that this node does not.
        addresses.LearnClient(node, introduction.ClientAddress);
        return null;
    }

    /// <inheritdoc/>
    public void DialRefused(NodeId peer, string reason) => inbox.TryAdd(new DialWasRefused(peer, reason));

    /// <inheritdoc/>
    public void SessionOpened(long session, PeerIntroduction introduction) =>
        inbox.TryAdd(new OutboundOpened(session, introduction));

    /// <inheritdoc/>
    public void SessionClosed(NodeId peer, long session, SessionCloseReason reason) =>
        inbox.TryAdd(new OutboundClosed(peer, session, reason));

    /// <inheritdoc/>
    public void InboundSessionClosed(NodeId peer, long session, SessionCloseReason reason) =>
        inbox.TryAdd(new InboundClosed(peer, session, reason));

    /// <inheritdoc/>
    public string? Received(PeerMessage message)
    {
        if (message is AppendRequest { IsEmpty: false } append)
        {
            if (Volatile.Read(ref _genesis) is null)
            {
                return "frames came before the genesis";
            }

            var configurations = new List<ConfigurationEntry>();
            if (TryParseFrames(append, configurations, out var frames) is { } fault)
            {
                return fault;
            }

            message = append with { Frames = frames, Configurations = configurations };
        }

        return inbox.TryAddMessage(message) ? null : "more frames came than the window of a follower holds";
    }

    /// <inheritdoc/>
    public BulkReply Serve(NodeId peer, BulkRequest request) => bulk.Serve(request);

    private string? TryParseFrames(
        AppendRequest append, List<ConfigurationEntry> configurations, out List<FrameSummary> frames)
    {
        frames = [];
        var rest = append.Bytes.Span;
        if (!FrameReader.TryReadAlone(rest, append.Previous, _seed, frameBytesMax, out var frame, out var fault))
        {
            return $"a range with a bad first frame came: {fault}";
        }

        if (frame.Header.PreviousHeaderCrc != append.PreviousChain || frame.Header.Term < append.PreviousTerm)
        {
            return $"the range at {append.Previous} does not continue what its append names";
        }

        while (true)
        {
            if (frame.Header.Term > append.Term)
            {
                return $"a frame of term {frame.Header.Term} came from the leader of term {append.Term}";
            }

            if (TryParseConfiguration(frame, configurations) is { } badConfiguration)
            {
                return badConfiguration;
            }

            frames.Add(frame.Summary);
            rest = rest[frame.Header.FrameLength..];
            if (rest.IsEmpty)
            {
                return null;
            }

            var tail = frame.Tail;
            if (!FrameReader.TryRead(rest, tail, _seed, frameBytesMax, out frame, out fault))
            {
                return $"a range with a bad frame at {tail.End} came: {fault}";
            }
        }
    }

    private string? TryParseConfiguration(in FrameView frame, List<ConfigurationEntry> configurations)
    {
        var at = frame.Header.Base;
        if (!frame.Header.Flags.HasFlag(FrameFlags.Configuration))
        {
            return null;
        }

        if (ConfigurationRecord.Decode(frame.Payload, frame.Header.Base, out var places, out var fault) is not { } configuration)
        {
            return $"a bad configuration at {at} came: {fault}";
        }

        addresses.Learn(at, places);
        configurations.Add(new ConfigurationEntry(at, configuration));
        return null;
    }
}
