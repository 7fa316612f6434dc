using Dledger.Replication.Clocks;
using Dledger.Replication.Loops;
using Dledger.Storage.Logs;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Repairing;

/// <summary>
/// Fills the damaged ranges of a log that could not be opened with committed frames of the other nodes (raft-and-storage.md 2.11).
/// </summary>
/// <remarks>
/// Frames are taken over only when they continue the good frame before the range, and at its end join the one behind it; so what comes
/// back is provably what was there. Owned by the node's life.
/// </remarks>
internal sealed class LogRepairer(LogRepair repair, RangeFetcher fetcher, LogClock clock, ILogger logger)
{
    private long _repairedBytes;

    /// <summary>Whether the log may be opened again.</summary>
    public bool IsComplete => repair.IsComplete;

    /// <summary>Whether no other node has what is missing.</summary>
    public bool IsHopeless => !repair.IsComplete && fetcher.IsHopeless(clock.Monotonic());

    /// <summary>How far it is, in words for an operator.</summary>
    public string Progress => repair.IsComplete
        ? "the log is whole again"
        : $"{repair.Ranges.Count} damaged range(s) left, the first at {repair.Ranges[0].From}; "
            + $"{_repairedBytes} bytes came back so far ({fetcher.LastFault})";

    /// <summary>Asks for what is missing.</summary>
    public NextTurn Turn()
    {
        var now = clock.Monotonic();
        if (!repair.IsComplete && fetcher.MayAsk(now))
        {
            var range = repair.Ranges[0];
            fetcher.Ask(range.From, (range.To ?? range.Minimum) - range.From);
        }

        var wait = fetcher.WaitAt(now);
        return wait == long.MaxValue ? NextTurn.WhenWoken : NextTurn.After((int)((wait + 999) / 1000));
    }

    /// <summary>Writes what came.</summary>
    public void Receive(RangeAnswer answer)
    {
        var now = clock.Monotonic();
        if (fetcher.TryTake(answer, now) is not { } bytes || repair.IsComplete)
        {
            return;
        }

        var from = repair.Ranges[0].From;
        if (repair.RepairRange(from, bytes.Span) is { } fault)
        {
            ReplicationEvents.RepairRefused(logger, from, fetcher.Peer, fault);
            fetcher.Reject($"the frames of node {fetcher.Peer} do not fit: {fault}", now);
            return;
        }

        fetcher.Accept();
        _repairedBytes += bytes.Length;
        ReplicationEvents.RangeRepaired(logger, from, bytes.Length, fetcher.Peer);
    }
}
