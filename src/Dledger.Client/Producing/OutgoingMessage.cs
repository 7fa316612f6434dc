using System.Collections.ObjectModel;

namespace Dledger.Client.Producing;

/// <summary>A message to be sent.</summary>
/// <param name="Topic">Where it goes.</param>
/// <param name="Body">What it says; not empty. Borrowed until the send has ended.</param>
public sealed record OutgoingMessage(string Topic, ReadOnlyMemory<byte> Body)
{
    /// <summary>What consumers may filter on; one word without a bar.</summary>
    public string? Tag { get; init; }

    /// <summary>What the message can be found by later.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Anything that goes with the body.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Messages of one group are stored in one queue, in the order in which they were sent.</summary>
    public string? MessageGroup { get; init; }

    /// <summary>Deliver it at this time, up to a year ahead; in the past: at once. The topic has to accept DELAY messages.</summary>
    public DateTimeOffset? DeliverAt { get; init; }

    /// <summary>The lite topic inside of the topic, which has to be of the type LITE. The first message to one makes it.</summary>
    public string? LiteTopic { get; init; }

    /// <summary>
    /// How urgent it is: 0 or more, larger is more urgent. The topic has to be of the type PRIORITY; its highest priority is its number of
    /// queues less one.
    /// </summary>
    public int? Priority { get; init; }

    /// <summary>The body is gzip already; consumers get it unpacked.</summary>
    public bool IsGzip { get; init; }

    /// <summary>Names the message for ever, also in repeated sends. Default: a new one for each send.</summary>
    public string? MessageId { get; init; }
}
