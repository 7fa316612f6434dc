namespace Dledger.Broker.Filtering;

/// <summary>A part of a compiled expression. Immutable; any thread.</summary>
internal abstract class SqlNode(int depth)
{
    /// <summary>Levels of nodes from here down, this one included: what an evaluation needs of the stack.</summary>
    public int Depth { get; } = depth;

    /// <summary>Whether it can only come to true, false or unknown.</summary>
    public virtual bool IsBoolean => false;

    public abstract SqlValue Evaluate(in SqlMessage message);
}
