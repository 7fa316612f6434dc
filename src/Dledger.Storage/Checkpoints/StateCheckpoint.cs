using Dledger.Primitives;

namespace Dledger.Storage.Checkpoints;

/// <summary>A state checkpoint as read back, all checksums verified.</summary>
/// <param name="Applied">The position up to which the state includes the log.</param>
/// <param name="Term">Term of the frame that ends there.</param>
/// <param name="HeaderCrc">Its header checksum; must equal the log's chain at that position.</param>
/// <param name="Parts">Named contents.</param>
public sealed record StateCheckpoint(
    LogPosition Applied, Term Term, uint HeaderCrc, IReadOnlyDictionary<string, byte[]> Parts);
