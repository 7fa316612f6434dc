using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of where groups stand. Only dispatches; any node answers, the leader does it.</summary>
public sealed class OffsetAdministrationService : OffsetService.OffsetServiceBase
{
    private readonly CallGuard _guard;
    private readonly LeaderCall<SeekGroupRequest, SeekGroupResponse> _seekGroup;
    private readonly LeaderCall<ReplayGroupRequest, ReplayGroupResponse> _replayGroup;

    internal OffsetAdministrationService(BrokerNode broker, CallGuard guard)
    {
        _guard = guard;

        // Not repeated: a relative seek would go twice as far, and any other one would cut off what was handed out since.
        _seekGroup = new(
            "SeekGroup", false, new SeekGroupHandler(broker).RunAsync, (c, n, r, o) => c.Offsets(n).SeekGroupAsync(r, o),
            s => new() { Status = s });

        // Not repeated: what was put back and consumed since would be delivered once more.
        _replayGroup = new(
            "ReplayGroup", false, new ReplayGroupHandler(broker).RunAsync, (c, n, r, o) => c.Offsets(n).ReplayGroupAsync(r, o),
            s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<SeekGroupResponse> SeekGroup(SeekGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_seekGroup, request, context);

    /// <inheritdoc/>
    public override Task<ReplayGroupResponse> ReplayGroup(ReplayGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_replayGroup, request, context);
}
