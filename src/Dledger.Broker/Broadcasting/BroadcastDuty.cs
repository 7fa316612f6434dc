using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Proposals;
using Dledger.Broker.Receiving;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Broadcasting;

/// <summary>
/// Looks after the members of broadcast groups: has the log know which of their clients live, and ends those that left or were silent
/// for too long. Volatile, the serving leader's only, owned by the apply loop.
/// </summary>
/// <remarks>
/// Clients that wait for messages leave no trace in the log, so a member that lives is noted there four times within the silence that
/// would end it. After a time without a leader nobody ends before this one has listened for long enough.
/// </remarks>
internal sealed class BroadcastDuty(
    GroupTable groups, ClientRegistry clients, LeaderInbox inbox, Func<Proposal, ProposalFailure?> propose)
{
    /// <summary>Log time between two looks.</summary>
    private const long LookInterval = 5_000_000;

    /// <summary>Members of one record.</summary>
    private const int BatchMax = 1_000;

    private readonly List<int> _present = [];
    private readonly List<MemberEnd> _ends = [];
    private long _lookAt;
    private bool _isProposed;

    /// <summary>Log time of the next look; <see cref="long.MaxValue"/> without members, and while a record is on its way.</summary>
    public long NextAt => _isProposed || !groups.HasMembers ? long.MaxValue : _lookAt;

    /// <summary>Log time at which the silence of a member's client has been long enough.</summary>
    public static long SilenceEnds(GroupState member) => member.UsedAt + Microseconds(member.View.Settings.MemberExpiry);

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset()
    {
        _isProposed = false;
        _lookAt = 0;
    }

    /// <summary>Looks, when it is time, and proposes what follows.</summary>
    public void Work(long logTimeNow)
    {
        if (NextAt > logTimeNow)
        {
            return;
        }

        _lookAt = logTimeNow + LookInterval;
        _present.Clear();
        _ends.Clear();
        foreach (var member in groups.All)
        {
            if (member.Owner is not null && _present.Count < BatchMax && _ends.Count < BatchMax)
            {
                Look(member, logTimeNow);
            }
        }

        if (_present.Count > 0)
        {
            Propose(RecordKind.BroadcastJoin, BroadcastJoinCommand.OfPresence([.. _present]).Encode());
        }

        if (_ends.Count > 0)
        {
            Propose(RecordKind.BroadcastEnd, new BroadcastEndCommand([.. _ends]).Encode());
        }
    }

    private void Look(GroupState member, long logTimeNow)
    {
        var client = IdentityHash.OfClient(member.View.Member!.Value.ClientId);
        if (clients.HasLeft(client))
        {
            _ends.Add(new MemberEnd(member.View.Id, member.UsedAt, HasLeft: true));
        }
        else if (clients.IsAlive(client))
        {
            if (logTimeNow - member.UsedAt >= Microseconds(member.View.Settings.MemberExpiry) / 4)
            {
                _present.Add(member.View.Id);
            }
        }
        else if (SilenceEnds(member) <= logTimeNow && clients.IsGone(client))
        {
            _ends.Add(new MemberEnd(member.View.Id, member.UsedAt, HasLeft: false));
        }
    }

    private void Propose(RecordKind kind, byte[] body)
    {
        var proposal = new LeaderProposal(ControlRecord.Encode(kind, body), inbox, (_, _) => _isProposed = false);
        _isProposed |= propose(proposal) is null;
    }

    private static long Microseconds(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerMicrosecond;
}
