using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Conformance.Tests.Wire;

/// <summary>Calls that many items make.</summary>
internal static class Calls
{
    public static readonly Duration HalfSecond = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500));

    public static async Task<ChangeInvisibleDurationResponse> ChangeAsync(
        this TestClient client, string topic, string group, string handle, TimeSpan duration) =>
        await client.Messaging.ChangeInvisibleDurationAsync(
            new ChangeInvisibleDurationRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
                InvisibleDuration = Duration.FromTimeSpan(duration),
            },
            client.Options());

    public static async Task<ForwardMessageToDeadLetterQueueResponse> ForwardAsync(
        this TestClient client, string topic, string group, string handle) =>
        await client.Messaging.ForwardMessageToDeadLetterQueueAsync(
            new ForwardMessageToDeadLetterQueueRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                ReceiptHandle = handle,
            },
            client.Options());

    public static async Task<QueryAssignmentResponse> AssignmentAsync(this TestClient client, string topic, string group) =>
        await client.Messaging.QueryAssignmentAsync(
            new QueryAssignmentRequest
            {
                Topic = TestClient.Resource(topic),
                Group = TestClient.Resource(group),
                Endpoints = client.AccessPoint(),
            },
            client.Options());

    public static async Task<HeartbeatResponse> HeartbeatAsync(this TestClient client, string group = "") =>
        await client.Messaging.HeartbeatAsync(
            new HeartbeatRequest
            {
                Group = group.Length == 0 ? null : TestClient.Resource(group),
                ClientType = group.Length == 0 ? ClientType.Producer : ClientType.PushConsumer,
            },
            client.Options());

    /// <summary>What comes within half a second.</summary>
    public static Task<IReadOnlyList<Message>> GlanceAsync(
        this TestClient client, string topic, string group, Action<ReceiveMessageRequest>? change = null) =>
        client.ReceiveAsync(topic, group, request =>
        {
            request.LongPollingTimeout = HalfSecond;
            change?.Invoke(request);
        });

    /// <summary>Asks again until a message comes.</summary>
    public static Task<Message> AwaitMessageAsync(
        this TestClient client, string topic, string group, TimeSpan patience, Action<ReceiveMessageRequest>? change = null) =>
        Eventually.FindAsync("a message", patience, async () => (await client.ReceiveAsync(topic, group, change)).FirstOrDefault());

    public static string Body(this Message message) => message.Body.ToStringUtf8();
}
