using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>Takes a sign of life. A client that was not known before is known from then on.</summary>
internal sealed class HeartbeatHandler(LivenessRelay liveness)
{
    public async Task<Wire.HeartbeatResponse> HandleAsync(ClientCall call, Wire.HeartbeatRequest request)
    {
        var group = ResourceNames.Of(request.Group, call);
        var violation = CallRules.CheckClient(call) ?? (group.Length == 0 ? null : Names.CheckGroup(group));
        if (violation is { } broken)
        {
            return new Wire.HeartbeatResponse { Status = StatusMapping.Of(broken) };
        }

        await liveness.TellAsync(
            call,
            "Heartbeat",
            broker => broker.ClientSeen(call.ClientId, group.Length == 0 ? null : group),
            async (client, options) => await client.HeartbeatAsync(request, options));
        return new Wire.HeartbeatResponse { Status = StatusMapping.Ok };
    }
}
