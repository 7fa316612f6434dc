using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Grpc.Core;

namespace Dledger.Client.Tests.Nodes;

/// <summary>The messaging service: every request is kept, every answer comes from the test.</summary>
internal sealed class ScriptedMessaging : MessagingService.MessagingServiceBase
{
    public static Apache.Rocketmq.V2.Status Ok { get; } = new() { Code = Code.Ok, Message = "OK" };

    public ConcurrentQueue<object> Requests { get; } = new();

    public ConcurrentQueue<Metadata> Headers { get; } = new();

    /// <summary>Host and port that answers name as the leader's; null: this node leads.</summary>
    public string? Leader { get; set; }

    public Func<SendMessageRequest, SendMessageResponse> OnSend { get; set; } = request => new SendMessageResponse
    {
        Status = Ok,
        Entries =
        {
            request.Messages.Select((message, index) => new SendResultEntry
            {
                Status = Ok,
                MessageId = message.SystemProperties.MessageId,
                Offset = index,
            }),
        },
    };

    public Func<ReceiveMessageRequest, IEnumerable<ReceiveMessageResponse>> OnReceive { get; set; } = _ =>
        [new ReceiveMessageResponse { Status = new Apache.Rocketmq.V2.Status { Code = Code.MessageNotFound } }];

    public Func<AckMessageRequest, AckMessageResponse> OnAck { get; set; } = request => new AckMessageResponse
    {
        Status = Ok,
        Entries = { request.Entries.Select(entry => new AckMessageResultEntry { ReceiptHandle = entry.ReceiptHandle, Status = Ok }) },
    };

    public Func<QueryRouteRequest, QueryRouteResponse> OnRoute { get; set; } = request => new QueryRouteResponse
    {
        Status = Ok,
        MessageQueues = { new MessageQueue { Topic = request.Topic, Id = 0, Broker = new Apache.Rocketmq.V2.Broker { Name = "dledger-0" } } },
    };

    public override Task<SendMessageResponse> SendMessage(SendMessageRequest request, ServerCallContext context) =>
        Answer(request, context, OnSend);

    public override Task<AckMessageResponse> AckMessage(AckMessageRequest request, ServerCallContext context) =>
        Answer(request, context, OnAck);

    public override Task<QueryRouteResponse> QueryRoute(QueryRouteRequest request, ServerCallContext context) =>
        Answer(request, context, OnRoute);

    public override Task<ChangeInvisibleDurationResponse> ChangeInvisibleDuration(
        ChangeInvisibleDurationRequest request, ServerCallContext context) =>
        Answer(request, context, _ => new ChangeInvisibleDurationResponse { Status = Ok, ReceiptHandle = "new handle" });

    public override async Task ReceiveMessage(
        ReceiveMessageRequest request, IServerStreamWriter<ReceiveMessageResponse> responseStream, ServerCallContext context)
    {
        Requests.Enqueue(request);
        foreach (var response in OnReceive(request))
        {
            await responseStream.WriteAsync(response);
        }

        TellLeader(context);
    }

    private void TellLeader(ServerCallContext context)
    {
        if (Leader is { } leader)
        {
            context.ResponseTrailers.Add("x-dledger-leader", leader);
        }
    }

    private Task<TResponse> Answer<TRequest, TResponse>(
        TRequest request, ServerCallContext context, Func<TRequest, TResponse> answer)
        where TRequest : class
    {
        Requests.Enqueue(request);
        Headers.Enqueue(context.RequestHeaders);
        TellLeader(context);
        return Task.FromResult(answer(request));
    }
}
