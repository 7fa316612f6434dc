using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Bulk;
using Dledger.Replication.Peers;
using Dledger.Replication.Tests.Clusters;
using Dledger.Storage.Disks;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Tests.Bulk;

/// <summary>Asks in the name of a node that does not run at present.</summary>
internal sealed class BulkAsker : IPeerEvents, IAsyncDisposable
{
    private readonly TestNode _node;
    private readonly NodeMetadata _metadata;
    private readonly Guid? _otherCluster;
    private readonly TcpPeerTransport _transport;

    public BulkAsker(TestNode node, Guid? otherCluster = null)
    {
        _node = node;
        _otherCluster = otherCluster;
        using (var meta = MetaFile.Open(new PosixDisk(node.Directory), "meta"))
        {
            _metadata = meta!.Current;
        }

        _transport = new TcpPeerTransport(
            new TcpPeerTransportOptions { ListenAddress = System.Net.IPAddress.Loopback, ListenPort = 0 },
            TimeProvider.System,
            1,
            node.Log);
        _transport.Start(node.Self, node.Options.Members, this);
    }

    public Task<BulkReply?> AskAsync(NodeId peer, BulkRequest request)
    {
        var answer = new TaskCompletionSource<BulkReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _transport.Fetch(peer, request, answer.SetResult);
        return answer.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public PeerIntroduction Introduce() => new()
    {
        Group = RaftGroupId.First,
        Node = _node.Self,
        ClusterId = _otherCluster ?? _metadata.ClusterId,
        StorageId = _metadata.StorageId,
        State = PeerState.Repairing,
        Term = _metadata.Term,
        LastTerm = Term.Zero,
        Start = LogPosition.Zero,
        End = LogPosition.Zero,
        Durable = LogPosition.Zero,
        WallClock = 0,
    };

    public string? Judge(PeerIntroduction introduction) => null;

    public void DialRefused(NodeId peer, string reason)
    {
    }

    public void SessionOpened(long session, PeerIntroduction introduction)
    {
    }

    public void SessionClosed(NodeId peer, long session, SessionCloseReason reason)
    {
    }

    public void InboundSessionClosed(NodeId peer, long session, SessionCloseReason reason)
    {
    }

    public string? Received(PeerMessage message) => null;

    public BulkReply Serve(NodeId peer, BulkRequest request) => BulkReply.Of(BulkOutcome.Unavailable);

    public ValueTask DisposeAsync() => _transport.DisposeAsync();
}
