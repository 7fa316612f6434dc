using Dledger.Broker;
using Dledger.Broker.Filtering;
using Dledger.Broker.Naming;
using Dledger.Broker.Replays;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>Has finished messages delivered to a group again, or says what that would do.</summary>
internal sealed class ReplayGroupHandler(BrokerNode broker)
{
    public async ValueTask<LocalOutcome<ReplayGroupResponse>> RunAsync(
        ReplayGroupRequest request, CancellationToken cancellationToken)
    {
        if (!TryReadFilter(request, out var filter, out var violation))
        {
            return violation;
        }

        var outcome = await broker.ReplayAsync(
            new ReplayRequest
            {
                Group = request.Group,
                Topic = request.Topic,
                QueueId = request.HasQueueId ? request.QueueId : null,
                FromMicroseconds = request.From is { } from ? WireTime.ToMicroseconds(from) : null,
                ToMicroseconds = request.To is { } to ? WireTime.ToMicroseconds(to) : null,
                FirstOffset = request.HasFirstOffset ? request.FirstOffset : null,
                LastOffset = request.HasLastOffset ? request.LastOffset : null,
                Filter = filter,
                Keys = request.Keys,
                MessageIds = request.MessageIds,
                Limit = request.Limit,
                IsDryRun = request.DryRun,
                ContinueAt = request.ContinueAt is { } place ? new(place.QueueId, place.Offset) : null,
            },
            cancellationToken);
        if (outcome is { Failure: { } failure, Queues.Count: 0 })
        {
            return failure;
        }

        var response = new ReplayGroupResponse
        {
            Status = outcome.Failure is { } stopped ? StatusMapping.AdminOf(stopped) : StatusMapping.AdminOk(),
            RoomCount = outcome.RoomCount,
        };
        if (outcome.Next is { } next)
        {
            response.ContinueAt = new Wire.ReplayPlace { QueueId = next.QueueId, Offset = next.Offset };
        }

        response.Queues.AddRange(outcome.Queues.Select(queue => new Wire.QueueReplay
        {
            QueueId = queue.QueueId,
            PutBackCount = queue.PutBackCount,
            SkippedCount = queue.SkippedCount,
        }));
        return response;
    }

    private static bool TryReadFilter(ReplayGroupRequest request, out MessageFilter filter, out Violation violation)
    {
        if (request.SqlExpression.Length == 0)
        {
            return MessageFilter.TryParseTags(request.TagExpression, out filter, out violation);
        }

        if (request.TagExpression.Length > 0)
        {
            filter = MessageFilter.All;
            violation = new Violation(
                BrokenRule.Replay, "'tag_expression' and 'sql_expression' are both given; one of them is allowed");
            return false;
        }

        return MessageFilter.TryParseSql(request.SqlExpression, out filter, out violation);
    }
}
