using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Cli.Tests;

/// <summary>A producer of transactional messages that never decides, which the program does not offer.</summary>
internal sealed class RawProducer(string address) : IAsyncDisposable
{
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress($"http://{address}");

    /// <summary>Begins a transaction; its id.</summary>
    public async Task<string> BeginAsync(string topic, string messageId, string body)
    {
        var message = new Message
        {
            Topic = new Resource { Name = topic },
            Body = ByteString.CopyFromUtf8(body),
            SystemProperties = new SystemProperties
            {
                MessageId = messageId,
                MessageType = MessageType.Transaction,
                BornTimestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
                BornHost = "raw-producer",
                BodyEncoding = Encoding.Identity,
            },
        };
        var sent = await new MessagingService.MessagingServiceClient(_channel).SendMessageAsync(
            new SendMessageRequest { Messages = { message } },
            new CallOptions(
                new Metadata { { "x-mq-client-id", "raw-producer" }, { "x-mq-language", "DOTNET" } },
                TimeProvider.System.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(30)));
        Assert.Equal(Code.Ok, sent.Status.Code);
        return Assert.Single(sent.Entries).TransactionId;
    }

    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }
}
