namespace Dledger.Raft.Leaders;

/// <summary>
/// Proves, round by round, that this node still led after somebody asked: a majority answered appends that were sent later
/// (thesis 6.4, step 2). Alive only while this node leads.
/// </summary>
/// <remarks>
/// No lease: after a pause of the process any statement about the time is void, an answer to a later message is not. Whoever asks
/// during a round waits for the next one, so any number of callers costs one message per peer and round trip.
/// </remarks>
internal sealed class LeadershipProof
{
    private long _asked;
    private long _inRound;
    private long _sentBefore;

    /// <summary>Somebody waits, and a round is under way.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>A term begins or ends; those who waited learn it from the change of the role.</summary>
    public void Reset() => IsRunning = false;

    /// <summary>Takes a question; true when a round has to begin.</summary>
    public bool Ask(long request)
    {
        _asked = request;
        return !IsRunning;
    }

    /// <summary>A round begins: only answers to what is sent from now on count.</summary>
    /// <param name="lastSentAt">The send time of the newest append so far; they are unique and increase.</param>
    public void Begin(long lastSentAt)
    {
        IsRunning = true;
        _inRound = _asked;
        _sentBefore = lastSentAt;
    }

    /// <summary>Ends the round when it can; the newest question that it answers, or null.</summary>
    /// <param name="answeredByMajority">A majority answered appends that were sent at this time or later.</param>
    public long? TryFinish(long answeredByMajority)
    {
        if (!IsRunning || answeredByMajority <= _sentBefore)
        {
            return null;
        }

        IsRunning = false;
        return _inRound;
    }

    /// <summary>Somebody asked while the last round was under way.</summary>
    public bool IsWanted => !IsRunning && _asked > _inRound;
}
