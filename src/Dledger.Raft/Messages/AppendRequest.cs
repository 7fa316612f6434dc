using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Messages;

/// <summary>Frames of the leader's log, or with an empty range a heart-beat and commit notice (Raft section 5.3).</summary>
/// <remarks>The range is [<see cref="Previous"/>, <see cref="RangeEnd"/>): whole frames, contiguous.</remarks>
public sealed record AppendRequest : PeerMessage
{
    /// <summary>Counts the mismatches of this session in this term; a follower ignores streams that it has rejected.</summary>
    public required int Stream { get; init; }

    /// <summary>Where the range begins: the end of the frame before it.</summary>
    public required LogPosition Previous { get; init; }

    /// <summary>Term of the frame that ends at <see cref="Previous"/>.</summary>
    public required Term PreviousTerm { get; init; }

    /// <summary>Header checksum of the frame that ends at <see cref="Previous"/>.</summary>
    public required uint PreviousChain { get; init; }

    /// <summary>Where the range ends; equal to <see cref="Previous"/> when it is empty.</summary>
    public required LogPosition RangeEnd { get; init; }

    /// <summary>The leader's commit position; may lie behind the range and behind what the follower has.</summary>
    public required LogPosition Commit { get; init; }

    /// <summary>
    /// The leader's monotonic clock in microseconds at sending, made strictly increasing per leader. The reply returns it, so
    /// it both names the round and tells the leader how old the contact is.
    /// </summary>
    public required long SentAt { get; init; }

    /// <summary>
    /// <see cref="Previous"/> is where the leader's log begins, and it found that the receiver's log does not reach or not match that
    /// far: unless this fits after all, only a snapshot helps.
    /// </summary>
    public bool IsAtLogStart { get; init; }

    /// <summary>
    /// The frames of the range as the receiving driver parsed and validated them (I16). Empty in messages that the core
    /// sends: there the driver attaches the bytes of the range.
    /// </summary>
    public IReadOnlyList<FrameSummary> Frames { get; init; } = [];

    /// <summary>
    /// The configurations that the receiving driver decoded, one for each frame of the range with
    /// <see cref="FrameFlags.Configuration"/>, in order. Empty in messages that the core sends.
    /// </summary>
    public IReadOnlyList<ConfigurationEntry> Configurations { get; init; } = [];

    /// <summary>The bytes of the range on the receiving side; the core only hands them on in a write effect.</summary>
    public ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>Whether this is a heart-beat or commit notice.</summary>
    public bool IsEmpty => RangeEnd == Previous;

    internal Configuration? FindConfiguration(in FrameSummary frame)
    {
        for (var i = 0; i < Configurations.Count; i++)
        {
            if (Configurations[i].Position == frame.Base)
            {
                return Configurations[i].Configuration;
            }
        }

        return null;
    }
}
