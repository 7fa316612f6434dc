using System.Runtime.CompilerServices;
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
    BrokerNode broker, MessageDrafts drafts, ProducerRegistry producers, LeaderRouter router, TrafficMeter traffic)
    : ILeaderHandler<Wire.SendMessageRequest, Wire.SendMessageResponse>,
        ICallHandler<Wire.SendMessageRequest, Wire.SendMessageResponse>
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

    public ValueTask<LocalOutcome<Wire.SendMessageResponse>> RunAsync(
        ClientCall call, Wire.SendMessageRequest request, CancellationToken cancellationToken)
    {
        if (drafts.TryCreate(call, request, out var topic, out var created) is { } refusal)
        {
            return new(Refuse(request, refusal));
        }

        return broker.FindTopic(topic) is null
            ? CreateTopicAndAppendAsync(call, request, topic, created, cancellationToken)
            : AppendAsync(call, request, topic, created, cancellationToken);
    }

    /// <summary>Counts what was stored, wherever that was.</summary>
    public void Answered(Wire.SendMessageResponse response)
    {
        var stored = 0;
        for (var index = 0; index < response.Entries.Count; index++)
        {
            stored += response.Entries[index].Status.Code == Wire.Code.Ok ? 1 : 0;
        }

        traffic.Add(stored);
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

    private async ValueTask<LocalOutcome<Wire.SendMessageResponse>> CreateTopicAndAppendAsync(
        ClientCall call,
        Wire.SendMessageRequest request,
        string topic,
        MessageDraft[] created,
        CancellationToken cancellationToken)
    {
        if ((await broker.FindOrCreateTopicAsync(topic, cancellationToken)).Failure is { } noTopic)
        {
            // A topic that may or may not have been created is no message that may or may not have been stored.
            return noTopic.Error == BrokerError.OutcomeUnknown
                ? noTopic with { Error = BrokerError.NotLeader }
                : noTopic;
        }

        return await AppendAsync(call, request, topic, created, cancellationToken);
    }

    private ValueTask<LocalOutcome<Wire.SendMessageResponse>> AppendAsync(
        ClientCall call,
        Wire.SendMessageRequest request,
        string topic,
        MessageDraft[] created,
        CancellationToken cancellationToken) =>
        SequenceHeaders.Read(call, out var sequence) is { } violation
            ? new(Refuse(request, StatusMapping.Of(violation)))
            : AnswerAsync(request, broker.AppendAsync(topic, created, sequence, call.ClientId, cancellationToken));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<LocalOutcome<Wire.SendMessageResponse>> AnswerAsync(
        Wire.SendMessageRequest request, ValueTask<AppendOutcome> appending)
    {
        var outcome = await appending;
        return outcome.Entries.Count == 0 ? outcome.Failure!.Value : Answer(request, outcome);
    }

    // A refusal that all messages share is that of the request as well.
    private static Wire.SendMessageResponse Answer(Wire.SendMessageRequest request, AppendOutcome outcome)
    {
        var response = new Wire.SendMessageResponse
        {
            Status = outcome.Succeeded ? StatusMapping.Ok
                : outcome.Entries.All(static entry => entry.Failure is not null) ? StatusMapping.Of(outcome.Failure.Value)
                : StatusMapping.Status(Wire.Code.MultipleResults, "some messages were refused; see their entries"),
        };
        response.Entries.Capacity = outcome.Entries.Count;
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
