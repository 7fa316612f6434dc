using Dledger.Primitives;
using Dledger.Raft.Effects;

namespace Dledger.Replication.CatchingUp;

/// <summary>What a <see cref="ReadRange"/> of the core came to.</summary>
/// <param name="Request">The request.</param>
/// <param name="Bytes">Whole verified frames from where the request begins; none when it cannot be read, or is in the log no more.</param>
/// <param name="End">Where the last frame ends.</param>
/// <param name="HeaderCrc">Its header checksum.</param>
internal sealed record ReadFrames(ReadRange Request, ReadOnlyMemory<byte> Bytes, LogPosition End, uint HeaderCrc);
