using System.Security.Cryptography;
using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Producing;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Sends one message for an operator, by the rules of every other one.</summary>
internal sealed class SendCalls(BrokerNode broker, MessageDrafts drafts, Arguments arguments)
{
    // RocketMQ's ids are 34 hexadecimal digits, the first two of which are the version.
    private const string IdVersion = "01";
    private const int IdBytes = 16;

    public BrokerFailure? Check(ClientCall call, Wire.AdminSendMessageRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Topic(call, request.Topic)
            ?? (request.SystemProperties?.MessageType == Wire.MessageType.Transaction
                ? Arguments.Absent(
                    "a message of the type TRANSACTION needs a producer that decides on it; send the message without the type")
                : null);

    public async ValueTask<LocalOutcome<Wire.AdminSendMessageResponse>> SendAsync(
        ClientCall call, Wire.AdminSendMessageRequest request, CancellationToken cancellationToken)
    {
        var message = Build(request);
        if (drafts.TryCreate(message, out var draft) is { } refusal)
        {
            return Refuse(refusal);
        }

        var topic = ResourceNames.Of(request.Topic, call);
        if (broker.FindTopic(topic) is null
            && (await broker.FindOrCreateTopicAsync(topic, cancellationToken)).Failure is { } noTopic)
        {
            return noTopic;
        }

        var outcome = await broker.AppendAsync(topic, [draft], cancellationToken);
        return outcome.Failure is { } failure
            ? failure
            : new Wire.AdminSendMessageResponse
            {
                Status = StatusMapping.Ok,
                MessageId = message.SystemProperties.MessageId,
            };
    }

    private static Wire.AdminSendMessageResponse Refuse(Wire.Status status) => new() { Status = status };

    private static Wire.Message Build(Wire.AdminSendMessageRequest request)
    {
        var system = request.SystemProperties?.Clone() ?? new Wire.SystemProperties();
        if (request.HasTag)
        {
            system.Tag = request.Tag;
        }

        if (request.HasKey)
        {
            system.Keys.Add(request.Key);
        }

        if (system.MessageId.Length == 0)
        {
            system.MessageId = IdVersion + Convert.ToHexString(RandomNumberGenerator.GetBytes(IdBytes));
        }

        if (system.BodyEncoding == Wire.Encoding.Unspecified)
        {
            system.BodyEncoding = Wire.Encoding.Identity;
        }

        var message = new Wire.Message { Topic = request.Topic, SystemProperties = system, Body = request.Body };
        message.UserProperties.Add(request.UserProperties);
        return message;
    }
}
