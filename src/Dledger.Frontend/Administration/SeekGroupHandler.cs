using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Target = Dledger.Protocol.Admin.V1.SeekGroupRequest.TargetOneofCase;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>Moves a consumer group, or says what that would do.</summary>
internal sealed class SeekGroupHandler(BrokerNode broker)
{
    public async ValueTask<LocalOutcome<SeekGroupResponse>> RunAsync(
        SeekGroupRequest request, CancellationToken cancellationToken)
    {
        if (TargetOf(request) is not { } target)
        {
            return new Violation(
                BrokenRule.Offset, "none of the fields 'end', 'offset', 'time' and 'relative' says where to go");
        }

        var outcome = await broker.SeekAsync(
            new SeekRequest
            {
                Group = request.Group,
                Topic = request.Topic,
                QueueId = request.HasQueueId ? request.QueueId : null,
                Target = target,
                IsDryRun = request.DryRun,
            },
            cancellationToken);
        if (outcome.Failure is { } failure)
        {
            return failure;
        }

        var response = new SeekGroupResponse { Status = StatusMapping.AdminOk() };
        response.Queues.AddRange(outcome.Queues.Select(queue => new Wire.QueueSeek
        {
            QueueId = queue.QueueId,
            FromOffset = queue.From,
            ToOffset = queue.To,
            SkippedCount = queue.SkippedCount,
            RepeatedCount = queue.RepeatedCount,
            CutCount = queue.CutCount,
        }));
        return response;
    }

    private static SeekTarget? TargetOf(SeekGroupRequest request) => request.TargetCase switch
    {
        Target.End when request.End == QueueEnd.Earliest => SeekTarget.Earliest,
        Target.End when request.End == QueueEnd.Latest => SeekTarget.Latest,
        Target.Offset => SeekTarget.Offset(request.Offset),
        Target.Time => SeekTarget.Time(WireTime.ToMicroseconds(request.Time)),
        Target.Relative => SeekTarget.Relative(request.Relative),
        _ => null,
    };
}
