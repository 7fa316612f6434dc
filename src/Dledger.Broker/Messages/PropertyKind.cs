namespace Dledger.Broker.Messages;

/// <summary>The entries of a record's property map. Persisted: the numbers never change. Layout: FORMAT.md.</summary>
public enum PropertyKind : byte
{
    /// <summary>One byte: <see cref="Messages.MessageType"/>.</summary>
    MessageType = 1,

    /// <summary>One byte: <see cref="Messages.BodyEncoding"/>.</summary>
    BodyEncoding = 2,

    Tag = 3,

    /// <summary>One business key; repeated in the producer's order.</summary>
    Key = 4,

    /// <summary>16-bit length of the key, key, value; repeated in the producer's order.</summary>
    UserProperty = 5,

    BornHost = 6,

    MessageGroup = 7,

    TraceContext = 8,

    DeadLetterTopic = 9,

    DeadLetterMessageId = 10,

    /// <summary>Only in Forward records: a <see cref="Commands.ForwardReference"/>.</summary>
    ForwardReference = 11,

    /// <summary>Only in Resend records: a <see cref="Commands.LetterReference"/>.</summary>
    LetterReference = 28,

    /// <summary>Only in dead letters: a <see cref="DeadLetters.DeadLetterDetail"/>.</summary>
    DeadLetterDetail = 20,

    /// <summary>Only in HalfMessage records: a <see cref="Commands.HalfMark"/>.</summary>
    HalfMark = 16,

    /// <summary>Only in copies of half messages: a <see cref="Commands.TransactionReference"/>.</summary>
    TransactionReference = 17,

    /// <summary>Only in TimerFire and Relocate records: a <see cref="Timers.TimerReference"/>.</summary>
    TimerReference = 12,

    /// <summary>4 bytes: the priority as the producer set it.</summary>
    Priority = 32,

    /// <summary>The lite topic inside of the topic.</summary>
    LiteTopic = 33,

    /// <summary>Only in Relocate records: 8 bytes, where the message lay first.</summary>
    TimerOrigin = 13,

    /// <summary>Other queues in which the message stands: <see cref="Routes.RoutedPlaces"/>. Always the first entry.</summary>
    RoutedTo = 36,
}
