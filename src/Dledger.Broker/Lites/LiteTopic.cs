using System.Text;
using Dledger.Primitives;

namespace Dledger.Broker.Lites;

/// <summary>A lite topic: one queue of its parent, under a name. Replicated state, owned by the apply loop.</summary>
/// <param name="Name">Unique within the parent; see <see cref="Naming.LiteRules"/>.</param>
/// <param name="QueueId">Its queue. Another lite topic may get the queue when this one has ended; offsets go on.</param>
/// <param name="CreatedAt">Log time of its creation, microseconds.</param>
/// <param name="FirstOffset">Where it begins: what lies before belonged to others.</param>
internal sealed record LiteTopic(string Name, int QueueId, long CreatedAt, long FirstOffset)
{
    /// <summary>Log time of its newest message, or of its creation.</summary>
    public long LastActive { get; set; } = CreatedAt;

    /// <summary>Whether this is its name in UTF-8.</summary>
    public bool IsNamed(ReadOnlySpan<byte> name)
    {
        Span<byte> own = stackalloc byte[Naming.Limits.LiteTopicBytesMax];
        var length = Encoding.UTF8.GetBytes(Name, own);
        Invariant.Check(length > 0, $"lite topic of queue {QueueId} has a name");
        return own[..length].SequenceEqual(name);
    }
}
