using System.Collections.Concurrent;
using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Filtering;

/// <summary>
/// Looks at each receive before it is served: do the clients of its group agree on the filter? In RocketMQ those that do not lose each
/// other's messages without a word. Any thread.
/// </summary>
internal sealed class MismatchGuard(BrokerCalls calls, ILogger logger)
{
    private static readonly TimeSpan LogEvery = TimeSpan.FromMinutes(1);

    /// <summary>Groups with a log line of their own; above it the oldest knowledge goes and lines repeat earlier.</summary>
    private const int LoggedMax = 10_000;

    private readonly ConcurrentDictionary<(int GroupId, int TopicId), long> _loggedAt = new();

    /// <summary>
    /// Notes the request's filter. A warning for the client when others ask differently; a refusal when the group rejects that. Before
    /// the first such client is served, the next leader is told by a record that it must not skip on hearsay.
    /// </summary>
    public async ValueTask<(string? Warning, BrokerFailure? Refusal)> AdmitAsync(
        ReceiveRequest request,
        GroupView group,
        TopicView topic,
        GroupFilters filters,
        CancellationToken cancellationToken)
    {
        var registry = calls.Machine.Filters;
        var other = registry.FindDiffering(filters, request.ClientId, request.Filter);
        if (other is not null && group.Settings.Mismatch == MismatchPolicy.Reject)
        {
            if (MayLog(group, topic))
            {
                BrokerEvents.FilterRejected(
                    logger,
                    Names.Printable(request.ClientId),
                    group.Name,
                    topic.Name,
                    Shown(request.Filter),
                    Names.Printable(other.ClientId),
                    Shown(other.Filter));
            }

            return (null, new BrokerFailure(
                BrokerError.SubscriptionMismatch,
                $"group '{group.Name}' rejects different filters on one topic: on topic '{topic.Name}' client "
                + $"'{Names.Printable(other.ClientId)}' asks with filter '{Shown(other.Filter)}', this one with "
                + $"'{Shown(request.Filter)}'. Use one filter in all clients of a group, or a group for each filter"));
        }

        var set = registry.Note(filters, group, request.ClientId, request.Filter);
        var isMixed = set.Filters.Count > 1;
        if (isMixed && other is not null && MayLog(group, topic))
        {
            BrokerEvents.FiltersMixed(
                logger,
                group.Name,
                topic.Name,
                Names.Printable(request.ClientId),
                Shown(request.Filter),
                Names.Printable(other.ClientId),
                Shown(other.Filter));
        }

        if (isMixed && !group.Settings.HasMixedFilters && await MarkAsync(group, true, cancellationToken) is { } failure)
        {
            return (null, failure);
        }

        return (other is null ? null : Warning(group, topic, other), null);
    }

    private static string Warning(GroupView group, TopicView topic, ClientFilter other) =>
        $"clients of group '{group.Name}' ask for topic '{topic.Name}' with different filters: "
        + $"'{Names.Printable(other.ClientId)}' with '{Shown(other.Filter)}'; nothing is skipped that one of them wants";

    private static string Shown(MessageFilter filter) => Names.Printable(filter.Text);

    private ValueTask<BrokerFailure?> MarkAsync(GroupView group, bool isMixed, CancellationToken cancellationToken)
    {
        var change = new GroupChange { Name = group.Name, HasMixedFilters = isMixed };
        var command = new GroupUpsertCommand(
            UpsertMode.Update, group.Name, false, default, GroupSettingsCodec.Encode(change));
        return calls.ProposeAsync(RecordKind.GroupUpsert, command.Encode(), cancellationToken);
    }

    private bool MayLog(GroupView group, TopicView topic)
    {
        var now = calls.Time.GetTimestamp();
        var pair = (group.Id, topic.Id);
        if (_loggedAt.TryGetValue(pair, out var last) && calls.Time.GetElapsedTime(last, now) < LogEvery)
        {
            return false;
        }

        if (_loggedAt.Count >= LoggedMax)
        {
            _loggedAt.Clear();
        }

        _loggedAt[pair] = now;
        return true;
    }
}
