using Dledger.Broker.Groups;

namespace Dledger.Broker.Quotas;

/// <summary>
/// What groups and clients may be given. Volatile, the serving leader's, owned by the apply loop. A receive that finds a bucket empty is
/// held: it is looked at again at <see cref="NextAt"/>, and told why in case that its time is over before.
/// </summary>
/// <remarks>
/// What is handed out by a lease is charged when its Lease record is proposed, and given back when that fails. A scan is charged with the most
/// that it may end with until it has ended.
/// </remarks>
internal sealed class ReceiveQuotas(QuotaRates ofClient, QuotaClock clock)
{
    private readonly Dictionary<int, QuotaMeter> _groups = [];
    private readonly ClientMeters _clients = new(ofClient);

    /// <summary>When a receive that is held may go on, by <see cref="QuotaClock"/>; <see cref="long.MaxValue"/>: none is.</summary>
    public long NextAt { get; private set; } = long.MaxValue;

    /// <summary>Whether anything counts for a client of a group.</summary>
    public bool Counts(GroupState? group) => ofClient.IsOn || group?.View.Settings.ReceiveQuota.IsOn == true;

    /// <summary>What a client of a group may be given; without a group only the client's quota counts.</summary>
    public QuotaRoom Room(GroupState? group, long clientHash)
    {
        var ofGroup = group?.View.Settings.ReceiveQuota ?? QuotaRates.None;
        if (!ofGroup.IsOn && !ofClient.IsOn)
        {
            return QuotaRoom.Unbounded;
        }

        var now = clock.Now;
        var room = ofGroup.IsOn ? OfGroup(group!).Room(ofGroup, now) : QuotaRoom.Unbounded;
        return ofClient.IsOn
            ? QuotaRoom.Smaller(room, _clients.Of(clientHash, now).Room(ofClient, now))
            : room;
    }

    /// <summary>A message of this size is too much now: why. From <see cref="NextAt"/> on it may be asked for again.</summary>
    public BrokerFailure Hold(GroupState? group, long clientHash, long bytes)
    {
        var ofGroup = group?.View.Settings.ReceiveQuota ?? QuotaRates.None;
        var now = clock.Now;
        var (wait, isBytes) = ofGroup.IsOn ? OfGroup(group!).WaitFor(ofGroup, 1, bytes, now) : default;
        var (clientWait, isClientBytes) =
            ofClient.IsOn ? _clients.Of(clientHash, now).WaitFor(ofClient, 1, bytes, now) : default;
        NextAt = Math.Min(NextAt, now + Math.Max(1, Math.Max(wait, clientWait)));
        return wait >= clientWait
            ? QuotaRefusal.Of(
                $"the consumer group '{group?.View.Name}' is given", ofGroup, isBytes, wait, "messages wait")
            : QuotaRefusal.Of("a client is given", ofClient, isClientBytes, clientWait, "messages wait");
    }

    /// <summary>
    /// Why a group, or each of these clients of it, is given no message of this size now; null when one may be. Changes nothing.
    /// </summary>
    public BrokerFailure? Why(GroupState group, IReadOnlyList<long> clientHashes, long bytes)
    {
        var ofGroup = group.View.Settings.ReceiveQuota;
        var now = clock.Now;
        if (ofGroup.IsOn && OfGroup(group).WaitFor(ofGroup, 1, bytes, now) is { Wait: > 0 } wait)
        {
            return QuotaRefusal.Of(
                $"the consumer group '{group.View.Name}' is given", ofGroup, wait.IsBytes, wait.Wait, "messages wait");
        }

        if (!ofClient.IsOn || clientHashes.Count == 0)
        {
            return null;
        }

        var first = clientHashes.Select(client => _clients.Of(client, now).WaitFor(ofClient, 1, bytes, now)).MinBy(each => each.Wait);
        return first.Wait > 0
            ? QuotaRefusal.Of("each client of the group is given", ofClient, first.IsBytes, first.Wait, "messages wait")
            : null;
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
    public QuotaCharge Charge(GroupState? group, long clientHash, long messages, long bytes)
    {
        var ofGroup = group?.View.Settings.ReceiveQuota ?? QuotaRates.None;
        if (!ofGroup.IsOn && !ofClient.IsOn)
        {
            return default;
        }

        var meter = ofGroup.IsOn ? OfGroup(group!) : null;
        var client = ofClient.IsOn ? _clients.Of(clientHash, clock.Now) : null;
        meter?.Take(ofGroup, messages, bytes);
        client?.Take(ofClient, messages, bytes);
        return new QuotaCharge(meter, ofGroup, client, ofClient, messages, bytes);
    }

    /// <summary>A group is gone.</summary>
    public void Forget(int groupId) => _groups.Remove(groupId);

    // The clients of a broadcast group share its quota, though each has a member group of its own.
    private QuotaMeter OfGroup(GroupState group)
    {
        var groupId = group.View.Member?.GroupId ?? group.View.Id;
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
