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
    private readonly ReplayGroupHandler _replayGroup;

    internal OffsetAdministrationService(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _router = router;
        _time = time;
        _logger = logger;
        _seekGroup = new SeekGroupHandler(broker);
        _replayGroup = new ReplayGroupHandler(broker);
    }

    /// <inheritdoc/>
    public override Task<SeekGroupResponse> SeekGroup(SeekGroupRequest request, ServerCallContext context) =>
        CallAsync(_seekGroup, request, context);

    /// <inheritdoc/>
    public override Task<ReplayGroupResponse> ReplayGroup(ReplayGroupRequest request, ServerCallContext context) =>
        CallAsync(_replayGroup, request, context);

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        ILeaderHandler<TRequest, TResponse> handler, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(handler, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return handler.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
