using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Replication.Peers;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Tests.Peers;

/// <summary>One message of each type, every field set to something that no other field has.</summary>
internal static class PeerMessages
{
    public static readonly RaftGroupId Group = new(7);

    public static readonly Guid ClusterId = new("00112233-4455-6677-8899-aabbccddeeff");

    public static IEnumerable<PeerMessage> All =>
    [
        new AppendRequest
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Stream = 13, Previous = new LogPosition(14),
            PreviousTerm = new Term(9), PreviousChain = 0xCAFEBABE, RangeEnd = new LogPosition(14),
            Commit = new LogPosition(10), SentAt = 1_700_000_000_000_001,
        },
        new AppendReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Stream = 13, SentAt = 14,
            Durable = new LogPosition(15), Received = new LogPosition(16), Applied = new LogPosition(17), SyncAge = 18,
        },
        new AppendReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Stream = 13, SentAt = 14,
            Durable = new LogPosition(15), Received = new LogPosition(16), Applied = new LogPosition(17), SyncAge = 18,
            Mismatch = new LogMismatch(
                new LogPosition(0),
                new LogPosition(900),
                [new Epoch(new Term(0), new LogPosition(0)), new Epoch(new Term(4), new LogPosition(0))],
                IsCutShort: true),
        },
        new PreVoteRequest
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, NextTerm = new Term(14),
            LastTerm = new Term(10), End = new LogPosition(16),
        },
        new PreVoteReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, IsGranted = true,
            LastTerm = new Term(10), End = new LogPosition(16), Leader = new NodeId(255),
        },
        new PreVoteReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, IsGranted = false, HasLoss = true,
            RemovedAt = new LogPosition(17), LastTerm = new Term(10), End = new LogPosition(16), Leader = NodeId.None,
        },
        new VoteRequest
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, LastTerm = new Term(10),
            End = new LogPosition(16), IsTransfer = true,
        },
        new VoteReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, IsGranted = true,
            Leader = NodeId.None,
        },
        new VoteReply
        {
            From = new NodeId(3), Session = 11, Term = new Term(12), Campaign = 13, IsGranted = true, HasLoss = true,
            Leader = NodeId.None,
        },
        new TimeoutNow { From = new NodeId(3), Session = 11, Term = new Term(12), Transfer = 13 },
        new Resigning { From = new NodeId(3), Session = 11, Term = new Term(12) },
        new GenesisOffer
        {
            From = new NodeId(3), Session = 11, Term = new Term(12),
            Genesis = new Genesis(
                ClusterId,
                [new GenesisVoter(new NodeId(1), ClusterId), new GenesisVoter(new NodeId(2), Guid.AllBitsSet)]),
        },
    ];

    public static byte[] Encode(PeerMessage message)
    {
        var buffer = new byte[PeerMessageCodec.EncodedBytesMax];
        return buffer[..PeerMessageCodec.Write(message, Group, buffer)];
    }
}
