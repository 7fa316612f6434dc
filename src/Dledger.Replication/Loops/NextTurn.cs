using Dledger.Primitives;

namespace Dledger.Replication.Loops;

/// <summary>When a loop wants to run again, unless its signal is set before.</summary>
internal readonly record struct NextTurn
{
    private const int WhenWokenValue = -1;
    private const int NeverValue = -2;

    private NextTurn(int milliseconds)
    {
        Milliseconds = milliseconds;
    }

    /// <summary>At once: there is more to do.</summary>
    public static NextTurn AtOnce => default;

    /// <summary>Only when woken.</summary>
    public static NextTurn WhenWoken => new(WhenWokenValue);

    /// <summary>The loop has ended.</summary>
    public static NextTurn Never => new(NeverValue);

    /// <summary>How long the loop may sleep; 0 not at all, -1 until it is woken.</summary>
    public int Milliseconds { get; }

    /// <summary>No further turn may follow.</summary>
    public bool IsNever => Milliseconds == NeverValue;

    /// <summary>After some milliseconds; at once for 0, when woken for -1.</summary>
    public static NextTurn After(int milliseconds)
    {
        Invariant.Check(milliseconds >= WhenWokenValue, $"a loop waits {milliseconds} ms");
        return new NextTurn(milliseconds);
    }
}
