using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>The hash field of a ConsumeQueue entry: what is known of a message without reading its record. Persisted, hence frozen.</summary>
/// <remarks>
/// <code>
///   0                     4                     8
///   | tag hash code       | message group hash  |
/// </code>
/// The tag's half is Java's 32-bit hash code; its sign is all that RocketMQ puts into the other half. A message group's half is never 0,
/// which stands for "no message group". Two message groups of one hash share their place in the order, which is stricter than asked
/// for and harms nothing else.
/// </remarks>
internal static class IndexHash
{
    /// <summary>A message without message group.</summary>
    public const int NoGroup = 0;

    /// <summary>What the index says about a record.</summary>
    public static long Of(in RecordView record) => Combine(record.TagHash, OfGroup(record.GroupHash));

    /// <summary>The hash code of the tag, as <see cref="Receiving.TagHash"/> makes it.</summary>
    public static long TagOf(long indexHash) => unchecked((int)indexHash);

    /// <summary>The half of the message group; <see cref="NoGroup"/> without one.</summary>
    public static int GroupOf(long indexHash) => unchecked((int)(indexHash >> 32));

    /// <summary>The 32 bits that stand for the 64 of <see cref="MessageGroupHash"/>.</summary>
    public static int OfGroup(long? groupHash)
    {
        if (groupHash is not { } hash)
        {
            return NoGroup;
        }

        var folded = unchecked((int)(hash ^ (hash >> 32)));
        return folded == NoGroup ? 1 : folded;
    }

    private static long Combine(long tagHash, int groupHash) => unchecked(((long)groupHash << 32) | (uint)tagHash);
}
