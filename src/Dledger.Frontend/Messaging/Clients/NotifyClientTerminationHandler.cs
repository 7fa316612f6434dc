using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>Takes leave of a client: its leases are no longer renewed. Nothing is released by force.</summary>
internal sealed class NotifyClientTerminationHandler(LivenessRelay liveness)
{
    public async Task<Wire.NotifyClientTerminationResponse> HandleAsync(
        ClientCall call, Wire.NotifyClientTerminationRequest request)
    {
        if (CallRules.CheckClient(call) is { } violation)
        {
            return new Wire.NotifyClientTerminationResponse { Status = StatusMapping.Of(violation) };
        }

        await liveness.TellAsync(
            call,
            "NotifyClientTermination",
            broker => broker.ClientTerminated(call.ClientId),
            async (client, options) => await client.NotifyClientTerminationAsync(request, options));
        return new Wire.NotifyClientTerminationResponse { Status = StatusMapping.Ok };
    }
}
