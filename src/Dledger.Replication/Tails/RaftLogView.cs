using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Replication.Applying;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Tails;

/// <summary>What RaftCore sees of the log: the tail cache first, below it the CommitLog.</summary>
/// <remarks>
/// The writer thread executes truncations later than the core decides them; so nothing behind the cache's end is asked
/// of the CommitLog, whatever it still holds. Owned by the replication loop.
/// </remarks>
internal sealed class RaftLogView(TailCache cache, CommitLog log) : IRaftLogView
{
    /// <inheritdoc/>
    /// <remarks>The files of what lies before it may be there for a while longer.</remarks>
    public LogPosition Start { get; private set; } = log.Start;

    /// <summary>Moves the start up to a frame boundary.</summary>
    public void AdvanceStart(LogPosition start)
    {
        Invariant.Check(start >= Start, $"log start {start} after {Start}");
        Start = start;
    }

    /// <inheritdoc/>
    public bool TryGetFrame(LogPosition @base, out FrameSummary frame)
    {
        if (cache.TryGet(@base, out var cached))
        {
            frame = cached.Header.Summary;
            return true;
        }

        frame = default;
        return @base < cache.Start && log.TryReadFrameSummary(@base, out frame);
    }

    /// <inheritdoc/>
    public bool TryGetChain(LogPosition end, out uint headerCrc)
    {
        if (cache.TryGetEndingAt(end, out var before))
        {
            headerCrc = before.Header.HeaderCrc;
            return true;
        }

        if (cache.TryGet(end, out var behind))
        {
            headerCrc = behind.Header.PreviousHeaderCrc;
            return true;
        }

        headerCrc = 0;
        return end <= cache.Start && log.TryReadChain(end, out headerCrc);
    }

    /// <inheritdoc/>
    /// <exception cref="LogUnreadableException">The disk does not give back the header behind <paramref name="end"/>.</exception>
    public uint GetChain(LogPosition end)
    {
        Invariant.Check(end >= Start && end <= cache.End, $"chain at {end} of a log from {Start} to {cache.End}");
        return TryGetChain(end, out var headerCrc)
            ? headerCrc
            : throw new LogUnreadableException(new DamagedFileException("log", $"no frame ends at {end}"));
    }

    /// <inheritdoc/>
    public bool IsInMemory(LogPosition from) => from >= cache.Start;

    /// <inheritdoc/>
    public LogPosition FindRangeEnd(LogPosition from, int bytesMax)
    {
        Invariant.Check(cache.TryFindRangeEnd(from, bytesMax, out var end), $"a cached frame begins at {from}");
        return end;
    }
}
