using Apache.Rocketmq.V2;
using Dledger.Chaos.Histories;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>A message as it was delivered.</summary>
/// <param name="Delivery">What the history says of it.</param>
/// <param name="Receipt">The handle that acknowledges it.</param>
/// <param name="MessageId">Id in the system properties.</param>
internal sealed record Popped(Delivery Delivery, string Receipt, string MessageId);

/// <summary>One receive: what came, also when the answer broke off.</summary>
/// <param name="End">How the call ended; an empty poll is done.</param>
/// <param name="Messages">As far as they came.</param>
internal sealed record PopCall(CallEnd End, IReadOnlyList<Popped> Messages)
{
    /// <summary>Receives from all queues of a topic. Handles are numbered by the recorder; none when that is null.</summary>
    public static async Task<PopCall> RunAsync(
        NodeClient client,
        string group,
        string topic,
        int batch,
        TimeSpan invisible,
        TimeSpan wait,
        HistoryRecorder? recorder)
    {
        var request = new ReceiveMessageRequest
        {
            Group = new Resource { Name = group },
            MessageQueue = new MessageQueue { Topic = new Resource { Name = topic } },
            FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
            BatchSize = batch,
            InvisibleDuration = Duration.FromTimeSpan(invisible),
            LongPollingTimeout = Duration.FromTimeSpan(wait),
            AttemptId = Guid.NewGuid().ToString(),
        };
        var leaseEnd = recorder is null ? 0 : recorder.Now + (long)(invisible.TotalSeconds * 1e9);
        var messages = new List<Popped>();
        var end = new CallEnd(Certainty.Unknown, "NO_STATUS");
        try
        {
            using var call = client.Messaging.ReceiveMessage(request, client.Options(wait + Workload.AttemptTimeMax));
            await foreach (var frame in call.ResponseStream.ReadAllAsync())
            {
                if (frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Status)
                {
                    end = frame.Status.Code == Code.MessageNotFound ? CallEnd.Done : CallEnd.Of(frame.Status);
                }
                else if (frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message)
                {
                    messages.Add(Read(frame.Message, topic, recorder?.NextHandle() ?? 0, leaseEnd));
                }
            }
        }
        catch (RpcException exception)
        {
            end = CallEnd.Of(exception);
        }

        return new PopCall(end, messages);
    }

    private static Popped Read(Message message, string topic, long handle, long leaseEnd)
    {
        var system = message.SystemProperties;
        var isWhole = MessageBody.TryDecode(message.Body.Span, out var id, out var sentTo);

        // A dead letter keeps its body, which names the topic that it was sent to.
        isWhole &= message.Topic.Name == topic && (sentTo == topic || topic.StartsWith('%')) && system.MessageId.Length > 0;
        isWhole &= topic.StartsWith('%') || system.MessageId == id;
        return new Popped(
            new Delivery(system.QueueOffset, id, isWhole, system.DeliveryAttempt, handle, leaseEnd, system.QueueId),
            system.ReceiptHandle,
            system.MessageId);
    }
}
