using Apache.Rocketmq.V2;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Cli.Tests;

/// <summary>A consumer that moves all it gets to the dead letters, which the client library does not offer.</summary>
internal sealed class RawConsumer(string address) : IAsyncDisposable
{
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress($"http://{address}");

    public async Task GiveUpAsync(string group, string topic, int count)
    {
        var client = new MessagingService.MessagingServiceClient(_channel);
        for (var left = count; left > 0;)
        {
            var request = new ReceiveMessageRequest
            {
                Group = new Resource { Name = group },
                MessageQueue = new MessageQueue { Topic = new Resource { Name = topic }, Id = 0 },
                FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
                BatchSize = count,
                InvisibleDuration = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
                LongPollingTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
            };
            using var stream = client.ReceiveMessage(request, Options());
            while (await stream.ResponseStream.MoveNext(CancellationToken.None))
            {
                if (stream.ResponseStream.Current.Message is { } message)
                {
                    var moved = await client.ForwardMessageToDeadLetterQueueAsync(
                        new ForwardMessageToDeadLetterQueueRequest
                        {
                            Group = request.Group,
                            Topic = message.Topic,
                            MessageId = message.SystemProperties.MessageId,
                            ReceiptHandle = message.SystemProperties.ReceiptHandle,
                            DeliveryAttempt = 1,
                            MaxDeliveryAttempts = 1,
                        },
                        Options());
                    Assert.Equal(Code.Ok, moved.Status.Code);
                    left--;
                }
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    private static CallOptions Options() => new(
        new Metadata { { "x-mq-client-id", "raw-consumer" }, { "x-mq-language", "DOTNET" } },
        TimeProvider.System.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(30));
}
