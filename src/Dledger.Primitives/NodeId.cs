namespace Dledger.Primitives;

/// <summary>The configured number of a node, 1 to 255; 0 means "no node".</summary>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    /// <summary>No node: no vote given, no leader known.</summary>
    public static readonly NodeId None = new(0);

    /// <summary>The largest number a node may have; the frame header keeps the leader's in one byte.</summary>
    public const int ValueMax = 255;

    /// <inheritdoc/>
    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
