using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Administration;

/// <summary>What operators do about consumer groups that stand still. Safe for any thread.</summary>
public sealed class ParkingClient(DledgerChannel channel)
{
    /// <summary>The parked messages of a group.</summary>
    public async Task<ParkedMessages> ListAsync(ParkedSelector selector, CancellationToken cancellationToken = default)
    {
        var request = new ListParkedRequest { Selector = ToWire(selector) };
        var response = await AskAsync(
            $"Listing parked messages of group '{selector.Group}'",
            (parking, options) => parking.ListParkedAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new ParkedMessages(
            [
                .. response.Messages.Select(message => new ParkedMessage(
                    message.Topic,
                    message.QueueId,
                    message.Offset,
                    message.MessageId,
                    message.HasMessageGroup ? message.MessageGroup : null,
                    message.MessageGroupHash,
                    message.Attempts,
                    message.ParkedAt.ToDateTimeOffset(),
                    message.WaitingBehind)),
            ],
            response.Count);
    }

    /// <summary>Hands parked messages out again, in order and as if they had never been delivered.</summary>
    /// <returns>How many they were.</returns>
    public Task<int> ReleaseAsync(ParkedSelector selector, CancellationToken cancellationToken = default) => EndAsync(
        $"Releasing parked messages of group '{selector.Group}'",
        (parking, options) => parking.ReleaseParkedAsync(new EndParkingRequest { Selector = ToWire(selector) }, options),
        cancellationToken);

    /// <summary>Moves parked messages to the dead letter topic.</summary>
    /// <returns>How many they were.</returns>
    public Task<int> DropAsync(ParkedSelector selector, CancellationToken cancellationToken = default) => EndAsync(
        $"Dropping parked messages of group '{selector.Group}'",
        (parking, options) => parking.DropParkedAsync(new EndParkingRequest { Selector = ToWire(selector) }, options),
        cancellationToken);

    /// <summary>Gives a group nothing from now on; zero: until somebody resumes it.</summary>
    /// <returns>The group as it is now.</returns>
    public async Task<GroupDescription> PauseAsync(
        string group, string reason, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        var request = new PauseGroupRequest { Name = group, Reason = reason, Duration = Duration.FromTimeSpan(duration) };
        var response = await AskAsync(
            $"Pausing group '{group}'",
            (parking, options) => parking.PauseGroupAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return AdminClient.Describe(response.Group);
    }

    /// <summary>Ends a group's pause.</summary>
    /// <returns>The group as it is now.</returns>
    public async Task<GroupDescription> ResumeAsync(string group, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            $"Resuming group '{group}'",
            (parking, options) => parking.ResumeGroupAsync(new ResumeGroupRequest { Name = group }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return AdminClient.Describe(response.Group);
    }

    private async Task<int> EndAsync(
        string operation,
        Func<ParkingService.ParkingServiceClient, CallOptions, AsyncUnaryCall<EndParkingResponse>> call,
        CancellationToken cancellationToken) =>
        (await AskAsync(operation, call, answer => answer.Status, cancellationToken).ConfigureAwait(false)).Count;

    private Task<T> AskAsync<T>(
        string operation,
        Func<ParkingService.ParkingServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.Parking, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);

    private static ParkingSelector ToWire(ParkedSelector selector)
    {
        var wire = new ParkingSelector { Group = selector.Group };
        if (selector.Topic is { } topic)
        {
            wire.Topic = topic;
        }

        if (selector.QueueId is { } queueId)
        {
            wire.QueueId = queueId;
        }

        if (selector.Offset is { } offset)
        {
            wire.Offset = offset;
        }

        if (selector.MessageGroup is { } messageGroup)
        {
            wire.MessageGroup = messageGroup;
        }

        return wire;
    }
}
