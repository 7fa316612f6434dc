using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;

namespace Dledger.Broker.Receiving;

/// <summary>
/// How many messages more a group and its clients may get: what the settings allow, minus what is in flight, minus what Lease records on
/// their way ask for. Volatile, the leader's only, owned by the apply loop.
/// </summary>
internal sealed class InFlightLimits(SeededDefect defect)
{
    private readonly Dictionary<int, int> _byGroup = [];
    private readonly Dictionary<(int GroupId, long ClientHash), int> _byClient = [];

    /// <summary>Whether any receive may wait for what this counts.</summary>
    public bool HoldsBack { get; private set; }

    /// <summary>The most that an operation may get; at 0 it is told why, in case that its time runs out.</summary>
    public int Allow(ReceiveOperation operation, Receivers receivers, GroupState group)
    {
        var settings = group.View.Settings;
        var ofGroup = settings.MaxInFlight - group.InFlight.Total - _byGroup.GetValueOrDefault(group.View.Id);
        var ofClient = settings.MaxInFlightPerClient - group.InFlight.Of(operation.ClientHash)
            - _byClient.GetValueOrDefault((group.View.Id, operation.ClientHash));
        var allowed = Math.Max(0, Math.Min(ofGroup, ofClient));
        if (allowed > 0)
        {
            operation.LetGo();
            return allowed;
        }

        HoldsBack = true;
        receivers.IsHeldBack = true;
        operation.HoldBack(new BrokerFailure(
            BrokerError.Busy,
            ofGroup <= 0
                ? $"the consumer group has {group.InFlight.Total} messages in flight; the limit is {settings.MaxInFlight}"
                : $"the client has {group.InFlight.Of(operation.ClientHash)} messages in flight; " +
                    $"the limit of its group is {settings.MaxInFlightPerClient}"));
        return 0;
    }

    /// <summary>A record goes on its way.</summary>
    public void Reserve(LeaseProposal proposal) => Change(proposal, proposal.LeasedCount);

    /// <summary>A scan begins that may end with so many messages for an operation.</summary>
    public void Reserve(ReceiveOperation operation, int count) => Change(operation.GroupId, operation.ClientHash, count);

    /// <summary>The record was applied or failed.</summary>
    public void Release(LeaseProposal proposal) => Change(proposal, -proposal.LeasedCount);

    /// <summary>The scan ended.</summary>
    public void Release(ScanGrant scan) => Change(scan.Receivers.GroupId, scan.ClientHash, -scan.LeasedMax);

    private void Change(LeaseProposal proposal, int change) =>
        Change(proposal.Command.GroupId, proposal.Command.ClientHash, change);

    private void Change(int groupId, long clientHash, int change)
    {
        if (defect == SeededDefect.LeasesOnTheirWayNotCounted)
        {
            return;
        }

        Change(_byGroup, groupId, change);
        Change(_byClient, (groupId, clientHash), change);
    }

    private static void Change<TKey>(Dictionary<TKey, int> counts, TKey key, int change)
        where TKey : notnull
    {
        var count = counts.GetValueOrDefault(key) + change;
        if (count == 0)
        {
            counts.Remove(key);
        }
        else
        {
            counts[key] = count;
        }
    }
}
