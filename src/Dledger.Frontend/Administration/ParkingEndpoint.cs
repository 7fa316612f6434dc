using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The service for groups that stand still. Only dispatches; what needs the leader goes there.</summary>
public sealed class ParkingEndpoint : ParkingService.ParkingServiceBase
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaderRouter _router;
    private readonly Rpc<ListParkedRequest, ListParkedResponse> _list;
    private readonly Rpc<EndParkingRequest, EndParkingResponse> _release;
    private readonly Rpc<EndParkingRequest, EndParkingResponse> _drop;
    private readonly Rpc<PauseGroupRequest, PauseGroupResponse> _pause;
    private readonly Rpc<ResumeGroupRequest, ResumeGroupResponse> _resume;

    internal ParkingEndpoint(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        _router = router;
        var parking = new ParkingAdministration(broker);
        _list = new("ListParked", true, parking.ListAsync, (c, r, o) => c.ListParkedAsync(r, o), s => new() { Status = s });

        // Not repeated: a second try would count what was parked meanwhile.
        _release = new(
            "ReleaseParked", false, parking.ReleaseAsync, (c, r, o) => c.ReleaseParkedAsync(r, o), s => new() { Status = s });
        _drop = new(
            "DropParked", false, parking.DropAsync, (c, r, o) => c.DropParkedAsync(r, o), s => new() { Status = s });
        _pause = new(
            "PauseGroup", true, parking.PauseAsync, (c, r, o) => c.PauseGroupAsync(r, o), s => new() { Status = s });
        _resume = new(
            "ResumeGroup", true, parking.ResumeAsync, (c, r, o) => c.ResumeGroupAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListParkedResponse> ListParked(ListParkedRequest request, ServerCallContext context) =>
        RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<EndParkingResponse> ReleaseParked(EndParkingRequest request, ServerCallContext context) =>
        RunAsync(_release, request, context);

    /// <inheritdoc/>
    public override Task<EndParkingResponse> DropParked(EndParkingRequest request, ServerCallContext context) =>
        RunAsync(_drop, request, context);

    /// <inheritdoc/>
    public override Task<PauseGroupResponse> PauseGroup(PauseGroupRequest request, ServerCallContext context) =>
        RunAsync(_pause, request, context);

    /// <inheritdoc/>
    public override Task<ResumeGroupResponse> ResumeGroup(ResumeGroupRequest request, ServerCallContext context) =>
        RunAsync(_resume, request, context);

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        Rpc<TRequest, TResponse> rpc, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(rpc, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return rpc.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }

    private sealed class Rpc<TRequest, TResponse>(
        string method,
        bool isRepeatable,
        Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
        Func<ParkingService.ParkingServiceClient, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
        Func<AdminStatus, TResponse> refuse)
        : ILeaderHandler<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public string Method => method;

        public bool IsRepeatable => isRepeatable;

        public ValueTask<LocalOutcome<TResponse>> RunAsync(
            ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

        public AsyncUnaryCall<TResponse> Forward(
            NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
            forward(channels.Parking(leader), request, options);

        public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(StatusMapping.AdminOf(failure));
    }
}
