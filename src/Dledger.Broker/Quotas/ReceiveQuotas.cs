using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Receiving;

namespace Dledger.Broker.Quotas;

/// <summary>
/// What groups and clients may be given. Volatile, the serving leader's, owned by the apply loop. A receive that finds a bucket empty is
/// held: it is looked at again at <see cref="NextAt"/>, and told why in case that its time is over before.
/// </summary>
/// <remarks>
/// What is handed out is charged when its Lease record is proposed, and given back when that fails. A scan is charged with the most
/// that it may end with until it has ended.
/// </remarks>
internal sealed class ReceiveQuotas(QuotaRates ofClient, QuotaClock clock)
{
    private readonly Dictionary<int, QuotaMeter> _groups = [];
    private readonly ClientMeters _clients = new(ofClient);

    /// <summary>When a receive that is held may go on, by <see cref="QuotaClock"/>; <see cref="long.MaxValue"/>: none is.</summary>
    public long NextAt { get; private set; } = long.MaxValue;

    public long Now => clock.Now;

    /// <summary>What an operation may get.</summary>
    public QuotaRoom Room(ReceiveOperation operation, GroupState group)
    {
        var ofGroup = group.View.Settings.ReceiveQuota;
        if (!ofGroup.IsOn && !ofClient.IsOn)
        {
            return QuotaRoom.Unbounded;
        }

        var now = clock.Now;
        var room = ofGroup.IsOn ? OfGroup(group.View.Id).Room(ofGroup, now) : QuotaRoom.Unbounded;
        return ofClient.IsOn
            ? QuotaRoom.Smaller(room, _clients.Of(operation.ClientHash, now).Room(ofClient, now))
            : room;
    }

    /// <summary>An operation cannot get a message of this size now.</summary>
    public void Hold(ReceiveOperation operation, GroupState group, long bytes)
    {
        var ofGroup = group.View.Settings.ReceiveQuota;
        var now = clock.Now;
        var (wait, isBytes) = ofGroup.IsOn ? OfGroup(group.View.Id).WaitFor(ofGroup, 1, bytes, now) : default;
        var (clientWait, isClientBytes) =
            ofClient.IsOn ? _clients.Of(operation.ClientHash, now).WaitFor(ofClient, 1, bytes, now) : default;
        NextAt = Math.Min(NextAt, now + Math.Max(1, Math.Max(wait, clientWait)));
        operation.HoldBack(wait >= clientWait
            ? QuotaRefusal.Of(
                $"the consumer group '{group.View.Name}' is given", ofGroup, isBytes, wait, "messages wait")
            : QuotaRefusal.Of("a client is given", ofClient, isClientBytes, clientWait, "messages wait"));
    }

    /// <summary>Whether receives that are held have to be looked at now; from then on nothing is held.</summary>
    public bool TakeDue()
    {
        if (NextAt > clock.Now)
        {
            return false;
        }

        NextAt = long.MaxValue;
        return true;
    }

    /// <summary>So much was handed out.</summary>
    public QuotaCharge Charge(GroupState group, long clientHash, long messages, long bytes)
    {
        var ofGroup = group.View.Settings.ReceiveQuota;
        if (!ofGroup.IsOn && !ofClient.IsOn)
        {
            return default;
        }

        var meter = ofGroup.IsOn ? OfGroup(group.View.Id) : null;
        var client = ofClient.IsOn ? _clients.Of(clientHash, clock.Now) : null;
        meter?.Take(ofGroup, messages, bytes);
        client?.Take(ofClient, messages, bytes);
        return new QuotaCharge(meter, ofGroup, client, ofClient, messages, bytes);
    }

    /// <summary>A group is gone.</summary>
    public void Forget(int groupId) => _groups.Remove(groupId);

    private QuotaMeter OfGroup(int groupId)
    {
        if (!_groups.TryGetValue(groupId, out var meter))
        {
            _groups.Add(groupId, meter = new QuotaMeter());
        }

        return meter;
    }
}

/// <summary>What was charged, so that it can be given back.</summary>
internal readonly record struct QuotaCharge(
    QuotaMeter? Group, QuotaRates OfGroup, QuotaMeter? Client, QuotaRates OfClient, long Messages, long Bytes)
{
    public void GiveBack()
    {
        Group?.GiveBack(OfGroup, Messages, Bytes);
        Client?.GiveBack(OfClient, Messages, Bytes);
    }
}
