using Dledger.Broker;
using Dledger.Broker.Lookups;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Protocol.Node.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>What a client is asked to do: tell what its threads do, or try a message.</summary>
internal sealed class DiagnosticCalls(
    BrokerNode broker, FrontendOptions options, ClusterClients clients, Arguments arguments)
{
    /// <summary>Longer traces are cut, so that the answer stays below what clients take.</summary>
    private const int TraceLengthMax = 1 << 20;

    private static Wire.PrintThreadStackTraceResponse Refuse(BrokerFailure failure) =>
        new() { Status = StatusMapping.Of(failure) };

    /// <summary>Needs no leader: the client is where it is.</summary>
    public async Task<Wire.PrintThreadStackTraceResponse> PrintStackTraceAsync(
        ClientCall call, Wire.PrintThreadStackTraceRequest request)
    {
        if ((arguments.Deployment(request.DeploymentName)
            ?? Arguments.ClientId(request.ClientId)
            ?? Arguments.OptionalGroup(call, request.Group)) is { } failure)
        {
            return Refuse(failure);
        }

        var group = Arguments.NameOf(request.Group, call) ?? "";
        var (outcome, missing) = await clients.AskAsync(
            new AskClientRequest
            {
                ClientId = request.ClientId,
                Group = group,
                Command = new Wire.TelemetryCommand
                {
                    Status = StatusMapping.Ok,
                    PrintThreadStackTraceCommand = new Wire.PrintThreadStackTraceCommand(),
                },
            },
            call.CancellationToken);
        var response = new Wire.PrintThreadStackTraceResponse
        {
            Status = ClientAnswers.StatusOf(outcome, request.ClientId, group, missing),
        };
        if (outcome.Answer?.ThreadStackTrace is { HasThreadStackTrace_: true } trace)
        {
            var text = trace.ThreadStackTrace_;
            response.ThreadStackTrace = text.Length <= TraceLengthMax ? text : text[..TraceLengthMax];
        }

        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.VerifyMessageRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.ClientId(request.ClientId)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.Topic(call, request.Topic)
            ?? (request.MessageId.Length == 0 ? Arguments.Bad("the field 'message_id' is empty") : null);

    /// <summary>On the leader, which finds the message. Its leases are not touched: the trial counts for nothing.</summary>
    public async ValueTask<LocalOutcome<Wire.VerifyMessageResponse>> VerifyAsync(
        ClientCall call, Wire.VerifyMessageRequest request, CancellationToken cancellationToken)
    {
        var group = ResourceNames.Of(request.Group, call);
        if (broker.FindGroup(group) is null)
        {
            return new BrokerFailure(BrokerError.GroupNotFound, $"the consumer group '{group}' does not exist");
        }

        var found = await broker.FindMessagesAsync(
            new KeyQuery(ResourceNames.Of(request.Topic, call), request.MessageId, IsMessageId: true) { CountMax = 1 },
            cancellationToken);
        if (found.Failure is { } failure)
        {
            return failure;
        }

        if (found.Messages.Count == 0)
        {
            return new BrokerFailure(
                BrokerError.MessageNotFound,
                $"the topic has no message with the id '{Arguments.Printable(request.MessageId)}'; the log may have given it up");
        }

        var message = FoundMessages.ToWire(found.Messages[0], request.Topic, call, options);
        message.SystemProperties.DeliveryAttempt = 1;
        var (outcome, missing) = await clients.AskAsync(
            new AskClientRequest
            {
                ClientId = request.ClientId,
                Group = group,
                Command = new Wire.TelemetryCommand
                {
                    Status = StatusMapping.Ok,
                    VerifyMessageCommand = new Wire.VerifyMessageCommand { Message = message },
                },
            },
            cancellationToken);
        return new Wire.VerifyMessageResponse
        {
            Status = ClientAnswers.StatusOf(outcome, request.ClientId, group, missing),
        };
    }
}
