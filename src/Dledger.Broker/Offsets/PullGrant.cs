using Dledger.Broker.Receiving;

namespace Dledger.Broker.Offsets;

/// <summary>What the apply loop found for a pull.</summary>
/// <param name="Failure">Null unless refused.</param>
/// <param name="Entries">Where the records lie that may match; ascending.</param>
/// <param name="NextOffset">Behind the last entry that was looked at.</param>
/// <param name="Min">First kept offset of the queue.</param>
/// <param name="Max">Its end.</param>
internal sealed record PullGrant(
    BrokerFailure? Failure, IReadOnlyList<GrantedMessage> Entries, long NextOffset, long Min, long Max)
{
    /// <summary>The offset lay outside of the queue; what it asked for does not exist.</summary>
    public bool IsOutside => Failure is null && (NextOffset < Min || NextOffset > Max);

    public static PullGrant Of(BrokerFailure failure) => new(failure, [], 0, 0, 0);
}
