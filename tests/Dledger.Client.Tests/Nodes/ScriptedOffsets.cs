using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Client.Tests.Nodes;

/// <summary>Answers seeks with two queues and with the request in the numbers, so that what was asked shows.</summary>
internal sealed class ScriptedOffsets : OffsetService.OffsetServiceBase
{
    public override Task<SeekGroupResponse> SeekGroup(SeekGroupRequest request, ServerCallContext context)
    {
        if (request.Group == "nobody")
        {
            return Task.FromResult(new SeekGroupResponse
            {
                Status = new AdminStatus
                {
                    Code = AdminCode.AdminNotFound,
                    Message = "there is no consumer group 'nobody', and groups are not created on use",
                    Hint = "'dledger group list' shows the groups.",
                },
            });
        }

        var to = request.TargetCase switch
        {
            SeekGroupRequest.TargetOneofCase.Offset => request.Offset,
            SeekGroupRequest.TargetOneofCase.Relative => 20 + request.Relative,
            SeekGroupRequest.TargetOneofCase.Time => request.Time.Seconds % 10,
            _ => request.End == QueueEnd.Latest ? 40 : 0,
        };
        var response = new SeekGroupResponse { Status = new AdminStatus { Code = AdminCode.AdminOk } };
        foreach (var queueId in request.HasQueueId ? new[] { request.QueueId } : [0, 1])
        {
            response.Queues.Add(new QueueSeek
            {
                QueueId = queueId,
                FromOffset = 20,
                ToOffset = to,
                SkippedCount = Math.Max(0, to - 20),
                RepeatedCount = Math.Max(0, 20 - to),
                CutCount = 3,
            });
        }

        return Task.FromResult(response);
    }
}
