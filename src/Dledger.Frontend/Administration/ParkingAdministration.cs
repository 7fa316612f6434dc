using Dledger.Broker;
using Dledger.Broker.Parking;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>What operators do about groups that stand still, on the leader.</summary>
internal sealed class ParkingAdministration(BrokerNode broker)
{
    public async ValueTask<LocalOutcome<ListParkedResponse>> ListAsync(
        ListParkedRequest request, CancellationToken cancellationToken)
    {
        var (list, failure) = await broker.ListParkedAsync(SelectionOf(request.Selector), cancellationToken);
        if (list is null)
        {
            return failure!.Value;
        }

        var response = new ListParkedResponse { Status = StatusMapping.AdminOk(), Count = list.Count };
        response.Messages.AddRange(list.Messages.Select(ToWire));
        return response;
    }

    public ValueTask<LocalOutcome<EndParkingResponse>> ReleaseAsync(
        EndParkingRequest request, CancellationToken cancellationToken) =>
        EndAsync(broker.ReleaseParkedAsync(SelectionOf(request.Selector), cancellationToken));

    public ValueTask<LocalOutcome<EndParkingResponse>> DropAsync(
        EndParkingRequest request, CancellationToken cancellationToken) =>
        EndAsync(broker.DropParkedAsync(SelectionOf(request.Selector), cancellationToken));

    public async ValueTask<LocalOutcome<PauseGroupResponse>> PauseAsync(
        PauseGroupRequest request, CancellationToken cancellationToken)
    {
        var duration = request.Duration is { } asked ? WireTime.ToTimeSpan(asked) : TimeSpan.Zero;
        return await broker.PauseGroupAsync(request.Name, request.Reason, duration, cancellationToken) is { } failure
            ? failure
            : new PauseGroupResponse { Status = StatusMapping.AdminOk(), Group = Find(request.Name) };
    }

    public async ValueTask<LocalOutcome<ResumeGroupResponse>> ResumeAsync(
        ResumeGroupRequest request, CancellationToken cancellationToken) =>
        await broker.ResumeGroupAsync(request.Name, cancellationToken) is { } failure
            ? failure
            : new ResumeGroupResponse { Status = StatusMapping.AdminOk(), Group = Find(request.Name) };

    private static async ValueTask<LocalOutcome<EndParkingResponse>> EndAsync(
        ValueTask<(int Count, BrokerFailure? Failure)> ended)
    {
        var (count, failure) = await ended;
        return failure is { } refused
            ? refused
            : new EndParkingResponse { Status = StatusMapping.AdminOk(), Count = count };
    }

    private static ParkingSelection SelectionOf(ParkingSelector? selector) => new()
    {
        Group = selector?.Group ?? "",
        Topic = selector is { HasTopic: true } ? selector.Topic : null,
        QueueId = selector is { HasQueueId: true } ? selector.QueueId : null,
        Offset = selector is { HasOffset: true } ? selector.Offset : null,
        MessageGroup = selector is { HasMessageGroup: true } ? selector.MessageGroup : null,
    };

    private static Wire.ParkedMessage ToWire(Broker.Parking.ParkedMessage message)
    {
        var wire = new Wire.ParkedMessage
        {
            Topic = message.Topic,
            QueueId = message.QueueId,
            Offset = message.Offset.Value,
            MessageId = message.MessageId,
            MessageGroupHash = message.MessageGroupHash,
            Attempts = message.Attempts,
            ParkedAt = GroupModes.TimeOf(message.SinceMicroseconds),
            WaitingBehind = message.WaitingBehind,
        };
        if (message.MessageGroup is { } group)
        {
            wire.MessageGroup = group;
        }

        return wire;
    }

    private Group? Find(string name) => broker.FindGroup(name) is { } group ? GroupAdministration.ToWire(group) : null;
}
