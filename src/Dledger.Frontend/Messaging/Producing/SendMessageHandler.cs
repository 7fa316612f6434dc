using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Transactions;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Producing;

/// <summary>Stores messages. The queue is chosen by the leader; what the client names is not looked at.</summary>
/// <remarks>
/// A failure stands in the response and in every entry, because some clients look only at one of them. When the
/// confirmation is lost the answer says so and nothing is tried again here: the client decides, with the same message
/// id.
/// </remarks>
internal sealed class SendMessageHandler(
    BrokerNode broker, MessageDrafts drafts, ProducerRegistry producers, LeaderRouter router)
    : ILeaderHandler<Wire.SendMessageRequest, Wire.SendMessageResponse>
{
    public string Method => "SendMessage";

    public bool IsRepeatable => false;

    public Task<Wire.SendMessageResponse> HandleAsync(ClientCall call, Wire.SendMessageRequest request)
    {
        // The stream of a producer is where it connected, whoever leads.
        if (request.Messages.Count > 0 && request.Messages[0].SystemProperties?.MessageType == Wire.MessageType.Transaction)
        {
            producers.Sent(call.ClientId, ResourceNames.Of(request.Messages[0].Topic, call));
        }

        return !broker.Status.IsServing && drafts.Check(call, request) is { } refusal
            ? Task.FromResult(Refuse(request, refusal))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.SendMessageResponse>> RunAsync(
        ClientCall call, Wire.SendMessageRequest request, CancellationToken cancellationToken)
    {
        if (drafts.TryCreate(call, request, out var topic, out var created) is { } refusal)
        {
            return Refuse(request, refusal);
        }

        if (broker.FindTopic(topic) is null
            && (await broker.FindOrCreateTopicAsync(topic, cancellationToken)).Failure is { } noTopic)
        {
            // A topic that may or may not have been created is no message that may or may not have been stored.
            return noTopic.Error == BrokerError.OutcomeUnknown
                ? noTopic with { Error = BrokerError.NotLeader }
                : noTopic;
        }

        var outcome = await broker.AppendAsync(topic, created, cancellationToken);
        return outcome.Succeeded ? Answer(request, outcome.Messages) : outcome.Failure.Value;
    }

    public AsyncUnaryCall<Wire.SendMessageResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.SendMessageRequest request, CallOptions options) =>
        channels.Messaging(leader).SendMessageAsync(request, options);

    public Wire.SendMessageResponse Refuse(Wire.SendMessageRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.SendMessageResponse Refuse(Wire.SendMessageRequest request, Wire.Status status)
    {
        var response = new Wire.SendMessageResponse { Status = status };
        foreach (var message in request.Messages)
        {
            response.Entries.Add(new Wire.SendResultEntry
            {
                Status = status,
                MessageId = message.SystemProperties?.MessageId ?? "",
            });
        }

        return response;
    }

    private static Wire.SendMessageResponse Answer(
        Wire.SendMessageRequest request, IReadOnlyList<AppendedMessage> appended)
    {
        var response = new Wire.SendMessageResponse { Status = StatusMapping.Ok };
        for (var index = 0; index < appended.Count; index++)
        {
            response.Entries.Add(new Wire.SendResultEntry
            {
                Status = StatusMapping.Ok,
                MessageId = request.Messages[index].SystemProperties.MessageId,
                Offset = appended[index].QueueOffset.Value,
                TransactionId = appended[index].TransactionId ?? "",
                RecallHandle = appended[index].RecallHandle ?? "",
            });
        }

        return response;
    }
}
