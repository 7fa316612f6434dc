using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of where groups stand. Only dispatches; any node answers, the leader does it.</summary>
public sealed class OffsetAdministrationService : OffsetService.OffsetServiceBase
{
    private readonly LeaderRouter _router;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SeekGroupHandler _seekGroup;

    internal OffsetAdministrationService(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _router = router;
        _time = time;
        _logger = logger;
        _seekGroup = new SeekGroupHandler(broker);
    }

    /// <inheritdoc/>
    public override async Task<SeekGroupResponse> SeekGroup(SeekGroupRequest request, ServerCallContext context)
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(_seekGroup, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return _seekGroup.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
