namespace Dledger.Replication.Peers;

/// <summary>What a peer message is. Sent: the numbers never change and are never reused.</summary>
public enum PeerMessageType : ushort
{
    None = 0,
    Hello = 1,
    HelloReply = 2,
    GenesisOffer = 3,
    Append = 16,
    AppendReply = 17,
    PreVote = 18,
    PreVoteReply = 19,
    Vote = 20,
    VoteReply = 21,
    TimeoutNow = 22,
    Resigning = 23,
    BulkRequest = 32,
    BulkReply = 33,
}
