namespace Dledger.Primitives;

/// <summary>
/// The number of a Raft group. Directory names, peer messages, metrics and routes carry it; version 1 runs group 0.
/// </summary>
public readonly record struct RaftGroupId(int Value)
{
    /// <summary>The only group of version 1.</summary>
    public static readonly RaftGroupId First = new(0);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
