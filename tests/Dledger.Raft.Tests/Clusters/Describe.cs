using Dledger.Raft.Effects;
using Dledger.Raft.Messages;

namespace Dledger.Raft.Tests.Clusters;

/// <summary>Effects and states in one short line each, for scripts.</summary>
internal static class Describe
{
    public static string Effect(RaftEffect effect) => effect switch
    {
        PersistMeta meta => $"persist term={meta.Term} vote={meta.VotedFor}",
        CutTermStart cut => $"cut the first frame of term {cut.Term}",
        WriteRange write => $"write {write.Base}..{write.End} generation={write.Generation}",
        TruncateTo cut => $"truncate to {cut.Position} generation={cut.Generation}",
        Send send => $"-> {send.Peer} {Message(send.Message)}",
        CommitTo commit => $"commit {commit.Position}",
        RoleChanged role => $"role {Name(role.Role)} term={role.Term} leader={role.Leader}",
        CloseSession close => $"close the session of {close.Peer}: {close.Reason}",
        TransferFinished finished => $"transfer {(finished.IsSuccess ? "succeeded" : "failed")}",
        Halt halt => $"halt: {halt.Reason}",
        _ => effect.ToString(),
    };

    public static string State(TestNode node)
    {
        if (node.Core is not { } core)
        {
            return $"{node.Id} down";
        }

        var durable = core.Durable == core.End ? "" : $" durable={core.Durable}";
        var verified = core.Verified == core.End ? "" : $" verified={core.Verified}";
        return $"{node.Id} {Name(core.Role)} term={core.Term} leader={core.Leader} commit={core.Commit} end={core.End}{durable}{verified}";
    }

    public static string Name(RaftRole role) => role switch
    {
        RaftRole.PreCandidate => "pre-candidate",
        _ => role.ToString().ToLowerInvariant(),
    };

    private static string Message(PeerMessage message) => message switch
    {
        AppendRequest { IsEmpty: true } append => $"append nothing at {append.Previous} (term {append.PreviousTerm}) commit={append.Commit} stream={append.Stream}",
        AppendRequest append =>
            $"append {append.Previous} (term {append.PreviousTerm})..{append.RangeEnd} commit={append.Commit} stream={append.Stream}",
        AppendReply { Mismatch: { } mismatch } reply => $"mismatch {mismatch} stream={reply.Stream}",
        AppendReply reply => $"ack term={reply.Term} durable={reply.Durable} received={reply.Received} stream={reply.Stream}",
        PreVoteRequest request => $"pre-vote? next={request.NextTerm} last={request.LastTerm} end={request.End}",
        PreVoteReply reply => $"pre-vote {(reply.IsGranted ? "granted" : "refused")} term={reply.Term} leader={reply.Leader}",
        VoteRequest request => $"vote? term={request.Term} last={request.LastTerm} end={request.End}{(request.IsTransfer ? " transfer" : "")}",
        VoteReply reply => $"vote {(reply.IsGranted ? "granted" : "refused")} term={reply.Term}",
        TimeoutNow => "campaign now",
        Resigning => "resigning",
        _ => message.ToString(),
    };
}
