using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
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

        return !broker.Status.IsServing && Check(call, request) is { } refusal
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

        if (SequenceHeaders.Read(call, out var sequence) is { } violation)
        {
            return Refuse(request, StatusMapping.Of(violation));
        }

        var outcome = await broker.AppendAsync(topic, created, sequence, call.ClientId, cancellationToken);
        return outcome.Entries.Count == 0 ? outcome.Failure!.Value : Answer(request, outcome);
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

    private Wire.Status? Check(ClientCall call, Wire.SendMessageRequest request) =>
        drafts.Check(call, request) is { } refusal ? refusal
        : (SequenceHeaders.Read(call, out var sequence) ?? ProducerRules.Check(sequence, request.Messages.Count)) is { } violation
            ? StatusMapping.Of(violation)
        : null;

    // A refusal that all messages share is that of the request as well.
    private static Wire.SendMessageResponse Answer(Wire.SendMessageRequest request, AppendOutcome outcome)
    {
        var areAllRefused = outcome.Entries.All(entry => entry.Failure is not null);
        var response = new Wire.SendMessageResponse
        {
            Status = outcome.Succeeded ? StatusMapping.Ok
                : areAllRefused ? StatusMapping.Of(outcome.Failure.Value)
                : StatusMapping.Status(Wire.Code.MultipleResults, "some messages were refused; see their entries"),
        };
        for (var index = 0; index < outcome.Entries.Count; index++)
        {
            var entry = outcome.Entries[index];
            response.Entries.Add(new Wire.SendResultEntry
            {
                Status = entry.Failure is { } failure ? StatusMapping.Of(failure) : StatusMapping.Ok,
                MessageId = request.Messages[index].SystemProperties.MessageId,
                Offset = entry.Failure is null ? entry.Message.QueueOffset.Value : 0,
                TransactionId = entry.Message.TransactionId ?? "",
                RecallHandle = entry.Message.RecallHandle ?? "",
            });
        }

        return response;
    }
}
