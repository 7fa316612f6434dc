using System.Numerics;

namespace Dledger.Broker.Messages;

/// <summary>A set of message types. Persisted: bit n stands for the type numbered n.</summary>
public readonly record struct MessageTypeSet(byte Bits)
{
    /// <summary>Normal messages only: what a topic accepts unless told otherwise.</summary>
    public static readonly MessageTypeSet Normal = Of(MessageType.Normal);

    /// <summary>What a topic accepts whose queues are bands of priority.</summary>
    public static readonly MessageTypeSet Priority = Of(MessageType.Priority);

    /// <summary>What a topic accepts that is the parent of lite topics.</summary>
    public static readonly MessageTypeSet Lite = Of(MessageType.Lite);

    /// <summary>The bits of all types that exist.</summary>
    private const byte KnownBits = 0b_0111_1110;

    /// <summary>The set of these types.</summary>
    public static MessageTypeSet Of(params ReadOnlySpan<MessageType> types)
    {
        var bits = 0;
        foreach (var type in types)
        {
            bits |= 1 << (int)type;
        }

        return new MessageTypeSet((byte)bits);
    }

    /// <summary>Not empty and without unknown types.</summary>
    public bool IsValid => Bits != 0 && (Bits & ~KnownBits) == 0;

    /// <summary>Whether all types of the set may share a topic: PRIORITY and LITE shape the queues, so each has its topics alone.</summary>
    public bool IsSociable => Count == 1 || !(Contains(MessageType.Lite) || Contains(MessageType.Priority));

    /// <summary>How many types.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>Whether the type belongs to the set.</summary>
    public bool Contains(MessageType type) => (Bits & (1 << (int)type)) != 0;

    /// <summary>The types by ascending number.</summary>
    public IReadOnlyList<MessageType> ToList()
    {
        var types = new List<MessageType>(Count);
        for (var number = 1; number < 8; number++)
        {
            if (Contains((MessageType)number))
            {
                types.Add((MessageType)number);
            }
        }

        return types;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", ToList());
}
