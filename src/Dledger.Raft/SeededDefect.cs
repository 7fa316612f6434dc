namespace Dledger.Raft;

/// <summary>
/// Defects that tests switch on one at a time: a checker that does not find each of them proves nothing about the rest.
/// </summary>
internal enum SeededDefect
{
    None,
    AckBeforeSync,
    VoteBeforeMetaDurable,
    NoPreviousTermCheck,
    CommitWithoutCurrentTerm,
    FollowerCommitBeyondVerified,
    TruncateOnHeartbeat,
    AckOwnUnverifiedTail,
    GenerationIgnored,
    TwoVotesInOneTerm,
    StaleSessionAccepted,
    NoHigherTermFromPreVoteReply,
    AckOfOlderSessionCounted,
    StreamIgnored,
    TruncateOnStaleAppend,
    UncountedLeaderCounts,
    JointOneMajority,
    ConfigurationEffectiveAtCommit,
    ConfigurationNotRolledBack,
    LossFlagIgnored,
    LossFlagClearedEarly,
    WipedNodeCounts,
    NoHasteOfTheBetterLog,
    ContactByReceiveTime,
    ReadsWithoutRound,
}
