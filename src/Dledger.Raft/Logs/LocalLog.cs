using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Logs;

/// <summary>The positions and terms of the local log, as the core wants it to be once all effects are executed.</summary>
/// <remarks>
/// <code>
/// Start &lt;= Commit &lt;= End      Durable &lt;= End      (Commit may exceed Durable: two followers can commit alone)
/// </code>
/// Owned by the replication loop, like everything in the core.
/// </remarks>
internal sealed class LocalLog
{
    private readonly IRaftLogView _view;
    private readonly RaftEffects _effects;
    private readonly SeededDefect _defect;
    private uint _tailChain;

    public LocalLog(RaftBoot boot, IRaftLogView view, RaftEffects effects, SeededDefect defect)
    {
        _view = view;
        _effects = effects;
        _defect = defect;
        Epochs = boot.Epochs;
        End = boot.End;
        Durable = boot.Durable;
        Commit = boot.Commit;
        Configurations = new ConfigurationHistory(boot.Configurations, defect);
        Invariant.Check(
            view.Start <= Commit && Commit <= End && Durable <= End,
            $"I12: start {view.Start} <= commit {Commit} <= end {End}, durable {Durable} <= end");
        var hasTail = view.TryGetChain(End, out _tailChain);
        Invariant.Check(hasTail, $"the log view knows the frame that ends at the log's end {End}");
    }

    public LogPosition Start => _view.Start;

    public LogPosition End { get; private set; }

    public LogPosition Durable { get; private set; }

    public LogPosition Commit { get; private set; }

    public EpochTable Epochs { get; }

    /// <summary>Counts truncations; a writer notice of an older generation says nothing about the present bytes.</summary>
    public uint Generation { get; private set; }

    public ConfigurationHistory Configurations { get; }

    /// <summary>The configuration in force: the one with the highest position, committed or not (I26).</summary>
    public ConfigurationEntry Effective => _defect == SeededDefect.ConfigurationEffectiveAtCommit
        ? Committed
        : Configurations.Newest;

    /// <summary>The newest configuration that is committed.</summary>
    public ConfigurationEntry Committed => Configurations.CommittedAt(Commit);

    /// <summary>Whether no configuration waits to be committed.</summary>
    public bool IsConfigurationCommitted => ReferenceEquals(Committed, Configurations.Newest);

    public Term LastTerm => Epochs.Last.Term;

    /// <summary>Header checksum of the frame that ends at a position; false when none does.</summary>
    public bool TryGetChain(LogPosition position, out uint chain)
    {
        if (position == End)
        {
            chain = _tailChain;
            return true;
        }

        chain = 0;
        return position < End && _view.TryGetChain(position, out chain);
    }

    /// <summary>Header checksum of the frame that ended at a position when it was written; see <see cref="IRaftLogView.GetChain"/>.</summary>
    public uint GetChain(LogPosition position) => position == End ? _tailChain : _view.GetChain(position);

    /// <summary>Whether this log has a frame that ends at the position and was written in the term; all before it is equal then (L3).</summary>
    public bool HasFrameEnd(LogPosition position, Term term) =>
        position >= Start && position <= End && Epochs.TermBefore(position) == term && TryGetChain(position, out _);

    /// <summary>The frame that begins at a position.</summary>
    public bool TryGetFrame(LogPosition @base, out FrameSummary frame) => _view.TryGetFrame(@base, out frame);

    /// <inheritdoc cref="IRaftLogView.IsInMemory"/>
    public bool IsInMemory(LogPosition from) => from == End || _view.IsInMemory(from);

    /// <summary>See <see cref="IRaftLogView.FindRangeEnd"/>; <paramref name="from"/> itself at the log's end.</summary>
    public LogPosition FindRangeEnd(LogPosition from, int bytesMax) =>
        from == End ? End : _view.FindRangeEnd(from, bytesMax);

    /// <summary>Adds a frame at the end; with the configuration that it holds, if it is flagged so.</summary>
    public void Append(in FrameSummary frame, Configuration? configuration)
    {
        Invariant.Check(frame.Base == End, $"I10: frame at {frame.Base} appended at end {End}");
        Invariant.Check(
            frame.PreviousHeaderCrc == _tailChain || _defect == SeededDefect.NoPreviousTermCheck,
            $"I10: frame at {frame.Base} continues chain {frame.PreviousHeaderCrc}, the log ends with {_tailChain}");
        Invariant.Check(frame.Length > 0, $"I10: frame at {frame.Base} has length {frame.Length}");
        if (frame.Term != LastTerm)
        {
            Invariant.Check(
                frame.Term > LastTerm && frame.Flags.HasFlag(FrameFlags.TermStart),
                $"I11: frame at {frame.Base} opens term {frame.Term} behind {LastTerm}, flags {frame.Flags}");
            Epochs.Append(new Epoch(frame.Term, frame.Base));
        }

        Invariant.Check(
            frame.Flags.HasFlag(FrameFlags.Configuration) == configuration is not null,
            $"I26: frame at {frame.Base} with flags {frame.Flags}, its configuration is {configuration?.ToString() ?? "missing"}");
        if (configuration is not null)
        {
            Configurations.Append(new ConfigurationEntry(frame.Base, configuration));
        }

        End = frame.End;
        _tailChain = frame.HeaderCrc;
    }

    /// <summary>Cuts the log because the leader's log differs from the position on.</summary>
    public void TruncateTo(LogPosition position)
    {
        Invariant.Check(
            (position >= Commit || _defect == SeededDefect.TruncateOnStaleAppend) && position < End,
            $"I13: cut to {position}, commit {Commit}, end {End}");
        var isBoundary = _view.TryGetChain(position, out var chain);
        Invariant.Check(isBoundary, $"I13: cut to {position}, where no frame ends");
        Generation++;
        Epochs.TruncateTo(position);
        Configurations.TruncateTo(position);
        End = position;
        Durable = LogPosition.Min(Durable, position);
        _tailChain = chain;
        _effects.Add(new TruncateTo(position, Generation));
    }

    /// <summary>Forgets the terms before the log's new start.</summary>
    public void AdvanceStart()
    {
        Invariant.Check(Start <= Commit, $"I12: start {Start} <= commit {Commit}");
        Epochs.AdvanceStart(Start);
    }

    /// <summary>Raises commit; lower positions change nothing.</summary>
    public bool AdvanceCommit(LogPosition position)
    {
        if (position <= Commit)
        {
            return false;
        }

        Invariant.Check(position <= End, $"I12: commit {position} <= end {End}");
        Commit = position;
        _effects.Add(new CommitTo(position));
        return true;
    }

    /// <summary>The writer synced up to a position; false when the notice says nothing new or is of an older generation (I19).</summary>
    public bool AdvanceDurable(LogPosition position, uint generation)
    {
        if (generation != Generation && _defect != SeededDefect.GenerationIgnored)
        {
            return false;
        }

        Invariant.Check(
            position <= End || _defect == SeededDefect.GenerationIgnored,
            $"I12: durable {position} <= end {End}, generation {generation}");
        if (position <= Durable)
        {
            return false;
        }

        Durable = LogPosition.Min(position, End);
        return true;
    }
}
