namespace Dledger.Client.Administration;

/// <summary>Kinds of messages that a topic may take. The numbers are those of the protocol.</summary>
public enum MessageType
{
    Normal = 1,
    Fifo = 2,
    Delay = 3,
    Transaction = 4,
    Lite = 5,
    Priority = 6,
}
