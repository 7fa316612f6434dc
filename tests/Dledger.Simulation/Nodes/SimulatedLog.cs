using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Raft.Messages;
using Dledger.Raft.Quorums;

namespace Dledger.Simulation.Nodes;

/// <summary>The log of one process life as its driver sees it: all frames, synced or not.</summary>
internal sealed class SimulatedLog : IRaftLogView
{
    /// <summary>The header checksum "before" the first frame of every log of this cluster.</summary>
    public const uint GenesisChain = 0x51D;

    private readonly List<SimulatedFrame> _frames;
    private readonly List<ConfigurationEntry> _configurations = [];

    public SimulatedLog(IEnumerable<SimulatedFrame> frames)
    {
        _frames = [.. frames];
        _configurations.AddRange(_frames.Where(frame => frame.Configuration is not null).Select(EntryOf));
    }

    /// <summary>The newest configuration in a frame, by this log's own account; null when there is none.</summary>
    public ConfigurationEntry? NewestConfiguration => _configurations.Count == 0 ? null : _configurations[^1];

    /// <summary>What lies before it is kept here, but the core does not see it any more.</summary>
    public LogPosition Start { get; private set; }

    /// <summary>What lies further from the end has to be read before it can be sent.</summary>
    public long MemoryBytes { get; set; } = long.MaxValue;

    /// <summary>Gives up what lies before a frame boundary.</summary>
    public void AdvanceStart(LogPosition start) => Start = start;

    public LogPosition End => _frames.Count == 0 ? LogPosition.Zero : _frames[^1].End;

    public IReadOnlyList<SimulatedFrame> Frames => _frames;

    public void Append(in SimulatedFrame frame)
    {
        _frames.Add(frame);
        if (frame.Configuration is not null)
        {
            _configurations.Add(EntryOf(frame));
        }
    }

    public void TruncateTo(LogPosition position)
    {
        var count = CountBefore(position);
        _frames.RemoveRange(count, _frames.Count - count);
        _configurations.RemoveAll(entry => entry.Position >= position);
    }

    /// <summary>How many frames end at or before a position.</summary>
    public int CountBefore(LogPosition position)
    {
        var low = 0;
        var high = _frames.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_frames[middle].End <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The name of everything before a position; null when no frame ends there.</summary>
    public ulong? PrefixHashAt(LogPosition position)
    {
        if (position == LogPosition.Zero)
        {
            return 0;
        }

        var count = CountBefore(position);
        return count > 0 && _frames[count - 1].End == position ? _frames[count - 1].PrefixHash : null;
    }

    public bool TryGetFrame(LogPosition @base, out FrameSummary frame)
    {
        var index = CountBefore(@base);
        frame = index < _frames.Count ? _frames[index].Summary : default;
        return index < _frames.Count && frame.Base == @base && @base >= Start;
    }

    public uint GetChain(LogPosition end)
    {
        Invariant.Check(TryGetChain(end, out var headerCrc), $"{end} is the end of a frame");
        return headerCrc;
    }

    public bool TryGetChain(LogPosition end, out uint headerCrc)
    {
        headerCrc = GenesisChain;
        if (end < Start)
        {
            return false;
        }

        if (end == LogPosition.Zero)
        {
            return true;
        }

        var count = CountBefore(end);
        if (count == 0 || _frames[count - 1].End != end)
        {
            return false;
        }

        headerCrc = _frames[count - 1].Summary.HeaderCrc;
        return true;
    }

    public bool IsInMemory(LogPosition from) => End - from <= MemoryBytes;

    public LogPosition FindRangeEnd(LogPosition from, int bytesMax)
    {
        var index = CountBefore(from);
        var end = from;
        for (; index < _frames.Count && (end == from || _frames[index].End - from <= bytesMax); index++)
        {
            end = _frames[index].End;
        }

        return end;
    }

    /// <summary>The frames of a range.</summary>
    public SimulatedFrame[] Range(LogPosition from, LogPosition to)
    {
        var first = CountBefore(from);
        return [.. _frames.GetRange(first, CountBefore(to) - first)];
    }

    /// <summary>The append as the receiving driver hands it over: with the range's frames and configurations.</summary>
    public AppendRequest Attach(AppendRequest append)
    {
        var frames = Range(append.Previous, append.RangeEnd);
        return append with
        {
            Frames = [.. frames.Select(frame => frame.Summary)],
            Configurations = [.. frames.Where(frame => frame.Configuration is not null).Select(EntryOf)],
        };
    }

    /// <summary>All configurations, behind the cluster's first one.</summary>
    public IReadOnlyList<ConfigurationEntry> ScanConfigurations(Configuration first) =>
        [new ConfigurationEntry(LogPosition.Zero, first), .. _configurations];

    /// <summary>The epoch table that a scan of all frames yields.</summary>
    public EpochTable ScanEpochs()
    {
        var table = new EpochTable(LogPosition.Zero, Term.Zero);
        foreach (var frame in _frames)
        {
            if (frame.Term != table.Last.Term)
            {
                table.Append(new Epoch(frame.Term, frame.Summary.Base));
            }
        }

        return table;
    }

    private static ConfigurationEntry EntryOf(SimulatedFrame frame) => new(frame.Summary.Base, frame.Configuration!);
}
