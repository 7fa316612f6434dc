using System.Text.RegularExpressions;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Tests.Clusters;

/// <summary>Effects and states in one short line each, for scripts.</summary>
internal static partial class Describe
{
    public static string Effect(RaftEffect effect) => effect switch
    {
        PersistMeta meta => $"persist term={meta.Term} vote={meta.VotedFor}{(meta.HasLoss ? " loss" : "")}"
            + (meta.ConfigurationFloor.Value > 0 ? $" configuration={meta.ConfigurationFloor}" : ""),
        CutConfiguration cut => $"cut {Members(cut.Configuration)}",
        ConfigurationChanged changed =>
            $"{(changed.IsCommitted ? "committed" : "in force")} {Members(changed.Entry.Configuration)} at {changed.Entry.Position}, peers {string.Join(" ", changed.Peers)}",
        ConfigurationChangeFinished finished => $"change {finished.Outcome.ToString().ToLowerInvariant()}"
            + (finished.Reason is { } reason ? $": {Storages(reason)}" : ""),
        CutTermStart cut => $"cut the first frame of term {cut.Term}",
        WriteRange write => $"write {write.Base}..{write.End} generation={write.Generation}",
        TruncateTo cut => $"truncate to {cut.Position} generation={cut.Generation}",
        Send send => $"-> {send.Peer} {Message(send.Message)}",
        CommitTo commit => $"commit {commit.Position}",
        RoleChanged role => $"role {Name(role.Role)} term={role.Term} leader={role.Leader}",
        CloseSession close => $"close the session of {close.Peer}: {close.Reason}",
        TransferFinished finished => $"transfer {(finished.IsSuccess ? "succeeded" : "failed")}",
        SnapshotNeeded needed => $"a snapshot of {needed.Leader} is needed",
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

    /// <summary>Who decides and who learns; a node's second storage is named 3b.</summary>
    public static string Members(Configuration configuration) =>
        $"{{{List(configuration.Voters)}{(configuration.IsJoint ? " | " + List(configuration.VotersNew) : "")}}}"
        + (configuration.Learners.Count > 0 ? $" learners {List(configuration.Learners)}" : "");

    private static string List(IReadOnlyList<Member> members) => string.Join(" ", members.Select(member =>
        $"{member.Node}{(member.StorageId.ToByteArray()[4] is var generation && generation > 1 ? ((char)('a' + generation - 1)).ToString() : "")}"));

    // Reasons name a storage by its first digits, which are those of the node in these tests.
    private static string Storages(string reason) => StorageDigits().Replace(reason, "");

    [GeneratedRegex("/[0-9a-f]{8}")]
    private static partial Regex StorageDigits();

    public static string Name(RaftRole role) => role switch
    {
        RaftRole.PreCandidate => "pre-candidate",
        _ => role.ToString().ToLowerInvariant(),
    };

    private static string Message(PeerMessage message) => message switch
    {
        AppendRequest { IsEmpty: true } append => $"append nothing at {append.Previous} (term {append.PreviousTerm}) commit={append.Commit} stream={append.Stream}"
            + (append.IsAtLogStart ? " at the log start" : ""),
        AppendRequest append =>
            $"append {append.Previous} (term {append.PreviousTerm})..{append.RangeEnd} commit={append.Commit} stream={append.Stream}",
        AppendReply { Mismatch: { } mismatch } reply => $"mismatch {mismatch} stream={reply.Stream}",
        AppendReply reply => $"ack term={reply.Term} durable={reply.Durable} received={reply.Received} stream={reply.Stream}",
        PreVoteRequest request => $"pre-vote? next={request.NextTerm} last={request.LastTerm} end={request.End}",
        PreVoteReply reply => $"pre-vote {(reply.IsGranted ? "granted" : "refused")} term={reply.Term} leader={reply.Leader}"
            + (reply.HasLoss ? " with reserve" : "") + (reply.RemovedAt is { } position ? $" removed at {position}" : ""),
        VoteRequest request => $"vote? term={request.Term} last={request.LastTerm} end={request.End}{(request.IsTransfer ? " transfer" : "")}",
        VoteReply reply => $"vote {(reply.IsGranted ? "granted" : "refused")} term={reply.Term}{(reply.HasLoss ? " with reserve" : "")}",
        TimeoutNow => "campaign now",
        Resigning => "resigning",
        _ => message.ToString(),
    };
}
