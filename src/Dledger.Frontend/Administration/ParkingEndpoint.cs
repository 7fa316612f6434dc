using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The service for groups that stand still. Only dispatches; what needs the leader goes there.</summary>
public sealed class ParkingEndpoint : ParkingService.ParkingServiceBase
{
    private readonly CallGuard _guard;
    private readonly LeaderCall<ListParkedRequest, ListParkedResponse> _list;
    private readonly LeaderCall<EndParkingRequest, EndParkingResponse> _release;
    private readonly LeaderCall<EndParkingRequest, EndParkingResponse> _drop;
    private readonly LeaderCall<PauseGroupRequest, PauseGroupResponse> _pause;
    private readonly LeaderCall<ResumeGroupRequest, ResumeGroupResponse> _resume;

    internal ParkingEndpoint(BrokerNode broker, CallGuard guard)
    {
        _guard = guard;
        var parking = new ParkingAdministration(broker);
        _list = new("ListParked", true, parking.ListAsync, (c, n, r, o) => c.Parking(n).ListParkedAsync(r, o), s => new() { Status = s });

        // Not repeated: a second try would count what was parked meanwhile.
        _release = new(
            "ReleaseParked", false, parking.ReleaseAsync, (c, n, r, o) => c.Parking(n).ReleaseParkedAsync(r, o), s => new() { Status = s });
        _drop = new(
            "DropParked", false, parking.DropAsync, (c, n, r, o) => c.Parking(n).DropParkedAsync(r, o), s => new() { Status = s });
        _pause = new(
            "PauseGroup", true, parking.PauseAsync, (c, n, r, o) => c.Parking(n).PauseGroupAsync(r, o), s => new() { Status = s });
        _resume = new(
            "ResumeGroup", true, parking.ResumeAsync, (c, n, r, o) => c.Parking(n).ResumeGroupAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListParkedResponse> ListParked(ListParkedRequest request, ServerCallContext context) =>
        _guard.RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<EndParkingResponse> ReleaseParked(EndParkingRequest request, ServerCallContext context) =>
        _guard.RunAsync(_release, request, context);

    /// <inheritdoc/>
    public override Task<EndParkingResponse> DropParked(EndParkingRequest request, ServerCallContext context) =>
        _guard.RunAsync(_drop, request, context);

    /// <inheritdoc/>
    public override Task<PauseGroupResponse> PauseGroup(PauseGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_pause, request, context);

    /// <inheritdoc/>
    public override Task<ResumeGroupResponse> ResumeGroup(ResumeGroupRequest request, ServerCallContext context) =>
        _guard.RunAsync(_resume, request, context);
}
