using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Target = Dledger.Protocol.Admin.V1.SeekGroupRequest.TargetOneofCase;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>Moves a consumer group, or says what that would do.</summary>
internal sealed class SeekGroupHandler(BrokerNode broker) : ILeaderHandler<SeekGroupRequest, SeekGroupResponse>
{
    public string Method => "SeekGroup";

    // A relative seek would go twice as far, and any other one would cut off what was handed out since.
    public bool IsRepeatable => false;

    public async ValueTask<LocalOutcome<SeekGroupResponse>> RunAsync(
        ClientCall call, SeekGroupRequest request, CancellationToken cancellationToken)
    {
        if (TargetOf(request) is not { } target)
        {
            return Refuse(new Violation(
                BrokenRule.Offset, "none of the fields 'end', 'offset', 'time' and 'relative' says where to go"));
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

    public AsyncUnaryCall<SeekGroupResponse> Forward(
        NodeChannels channels, NodeId leader, SeekGroupRequest request, CallOptions options) =>
        channels.Offsets(leader).SeekGroupAsync(request, options);

    public SeekGroupResponse Refuse(SeekGroupRequest request, BrokerFailure failure) =>
        new() { Status = StatusMapping.AdminOf(failure) };

    private static SeekGroupResponse Refuse(Violation violation) => new() { Status = StatusMapping.AdminOf(violation) };

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
