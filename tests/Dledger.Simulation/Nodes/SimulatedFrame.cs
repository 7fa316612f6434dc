using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Simulation.Nodes;

/// <summary>A frame and a 64-bit name of everything up to its end: two logs with equal names at a position are equal before it.</summary>
/// <param name="Summary">What the core sees of it.</param>
/// <param name="PrefixHash">The name.</param>
/// <param name="Configuration">What it holds when it is flagged as a configuration.</param>
internal readonly record struct SimulatedFrame(FrameSummary Summary, ulong PrefixHash, Configuration? Configuration = null)
{
    public LogPosition End => Summary.End;

    public Term Term => Summary.Term;

    public static SimulatedFrame Create(
        LogPosition @base, int length, Term term, FrameFlags flags, uint previousChain, ulong previousHash, ulong content,
        Configuration? configuration = null)
    {
        var chain = (uint)Mix(Mix(Mix(content, (ulong)@base.Value), (ulong)term.Value), previousChain);
        var summary = new FrameSummary(@base, length, term, flags, chain, previousChain);
        return new SimulatedFrame(summary, HashOf(summary, previousHash), configuration);
    }

    /// <summary>The frame as a follower takes it from a leader's append.</summary>
    public static SimulatedFrame Receive(in FrameSummary summary, ulong previousHash, IReadOnlyList<ConfigurationEntry> configurations)
    {
        var position = summary.Base;
        var entry = summary.Flags.HasFlag(FrameFlags.Configuration) ? configurations.First(entry => entry.Position == position) : null;
        return new SimulatedFrame(summary, HashOf(summary, previousHash), entry?.Configuration);
    }

    /// <summary>The name of a log that ends with the frame, given the name of what is before it.</summary>
    private static ulong HashOf(in FrameSummary summary, ulong previousHash) =>
        Mix(Mix(Mix(Mix(previousHash, summary.HeaderCrc), (ulong)summary.Base.Value), (ulong)summary.Length), (ulong)summary.Term.Value);

    private static ulong Mix(ulong hash, ulong value)
    {
        var mixed = (hash ^ value) * 0x9E3779B97F4A7C15;
        mixed ^= mixed >> 32;
        mixed *= 0xD6E8FEB86659FD93;
        return mixed ^ (mixed >> 32);
    }
}
