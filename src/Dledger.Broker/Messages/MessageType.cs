namespace Dledger.Broker.Messages;

/// <summary>The kind of a message. Persisted: the numbers are those of the wire protocol and never change.</summary>
public enum MessageType : byte
{
    Normal = 1,

    /// <summary>Belongs to a message group whose messages are consumed in order.</summary>
    Fifo = 2,

    /// <summary>Visible from a given time on.</summary>
    Delay = 3,

    /// <summary>Invisible until its producer commits it.</summary>
    Transaction = 4,

    /// <summary>Belongs to a lite topic.</summary>
    Lite = 5,

    /// <summary>Carries a priority.</summary>
    Priority = 6,
}
