using Dledger.Broker.Groups;
using Dledger.Broker.Quotas;

namespace Dledger.Broker.Receiving;

/// <summary>
/// How much a receive may be given now: messages in flight, and quotas. A receive that gets nothing because of them is told why, in case
/// that its time runs out so. Volatile, the serving leader's, owned by the apply loop.
/// </summary>
internal sealed class ReceiveBudget(QuotaRates ofClient, QuotaClock clock)
{
    /// <summary>Messages in flight.</summary>
    public InFlightLimits Limits { get; private set; } = new();

    /// <summary>What groups and clients may be given.</summary>
    public ReceiveQuotas Quotas { get; private set; } = new(ofClient, clock);

    /// <summary>The most messages that an operation may get, and the quotas' room for them; 0: it has to wait.</summary>
    public int Allow(ReceiveOperation operation, Receivers receivers, GroupState group, out QuotaRoom room)
    {
        room = default;
        var countMax = Limits.Allow(operation, receivers, group);
        if (countMax == 0)
        {
            return 0;
        }

        room = Quotas.Room(group, operation.ClientHash);
        if (room.IsOpen)
        {
            return (int)Math.Min(countMax, room.Messages);
        }

        Hold(operation, receivers, group, bytes: 1);
        return 0;
    }

    /// <summary>The next message that an operation may have is larger than what the quotas leave.</summary>
    public void Hold(ReceiveOperation operation, Receivers receivers, GroupState group, long bytes)
    {
        receivers.IsOverQuota = true;
        operation.HoldBack(Quotas.Hold(group, operation.ClientHash, bytes));
    }

    /// <summary>Begins anew: what is on its way goes on counting where it did.</summary>
    public void Reset()
    {
        Limits = new InFlightLimits();
        Quotas = new ReceiveQuotas(ofClient, clock);
    }
}
